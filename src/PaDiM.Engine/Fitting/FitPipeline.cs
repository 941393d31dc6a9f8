using PaDiM.Core;
using PaDiM.Core.Alignment;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Fits a model to images of normal parts (Defard et al., section III-B). Images are streamed in batches: memory does
/// not grow with their number. The same images, settings and backbone give the same model.
/// </summary>
/// <param name="backbone">The network.</param>
/// <param name="settings">What to compute.</param>
/// <param name="decoder">Reads images.</param>
/// <param name="store">Where embeddings are kept between the passes, and between fits.</param>
/// <param name="ignored">Pixels that do not count, at the image size and before any crop, shape <c>(imageSize,
/// imageSize)</c>; null when all count.</param>
public sealed class FitPipeline(
    Backbone backbone,
    FitSettings settings,
    ImageDecoder decoder,
    EmbeddingStore store,
    bool[]? ignored = null
)
{
    private const double EmbeddingShare = 0.75,
        FactorisingShare = 0.1;

    /// <summary>Fits.</summary>
    /// <param name="images">At least two, without repeats.</param>
    /// <param name="prior">An earlier fit with the same settings and backbone, to be brought up to date; null to start
    /// from nothing.</param>
    /// <param name="keepStatistics">Called once with the finished statistics, before they are used up.</param>
    /// <param name="progress">Told after every batch, on the caller's thread.</param>
    /// <param name="cancellation">Stops the fit between two batches.</param>
    /// <exception cref="FitException">Too few images, or one that cannot be read any more.</exception>
    public PadimModel Run(
        IReadOnlyList<TrainingImage> images,
        PriorFit? prior,
        Action<PatchStatistics>? keepStatistics,
        Action<FitProgress>? progress,
        CancellationToken cancellation
    )
    {
        try
        {
            return Fit(images, prior, keepStatistics, progress, cancellation);
        }
        catch (AggregateException e)
        {
            // First of all what its user can mend.
            ParallelFaults.Rethrow(e, fault => fault is FitException);
            throw;
        }
    }

    /// <summary>How many images a fit would have to embed: those that the store does not hold.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="settings">What to compute.</param>
    /// <param name="store">Where embeddings are kept.</param>
    /// <param name="images">SHA-256 of each image.</param>
    public static int CountMissing(
        Backbone backbone,
        FitSettings settings,
        EmbeddingStore store,
        IReadOnlyCollection<string> images
    )
    {
        // A template is made from all images anew, and all are aligned to it anew.
        if (settings.Alignment != AlignmentMethod.None)
            return images.Count;
        var key = EmbeddingStore.KeyOf(
            backbone.Identity,
            settings,
            ChannelReduction.Draw(settings.Reduction, backbone.TapChannels, settings.Dimensions, settings.Seed)
        );
        return images.Count(image => !store.Contains(key, image));
    }

    private PadimModel Fit(
        IReadOnlyList<TrainingImage> images,
        PriorFit? prior,
        Action<PatchStatistics>? keepStatistics,
        Action<FitProgress>? progress,
        CancellationToken cancellation
    )
    {
        if (images.Count < 2)
            throw new FitException(
                "too_few_images",
                $"A fit needs at least 2 images of normal parts; there {(images.Count == 1 ? "is 1" : $"are {images.Count}")}."
            );
        if (settings.FindFault(ignored) is { } fault)
            throw new FitException("ignore_mask_unusable", fault);
        var parallel = backbone.Runtime.InParallel(cancellation);
        var reduction =
            prior?.Reduction
            ?? ChannelReduction.Draw(settings.Reduction, backbone.TapChannels, settings.Dimensions, settings.Seed);
        var ordered = images.OrderBy(image => image.Sha256, StringComparer.Ordinal).ToArray();
        var pixels = new TrainingPixels(settings.ImageSize, ordered, decoder, store, parallel);
        var template = settings.Alignment == AlignmentMethod.None ? null : Template(pixels, progress);
        // A template is made from all images: what was aligned to another one does not go with it.
        if (template is not null)
            prior = null;
        var embedder = new Embedder(backbone, settings, reduction, template);
        var key = EmbeddingStore.KeyOf(backbone.Identity, settings, reduction, template);
        using var embeddings = new TrainingEmbeddings(
            embedder,
            key,
            decoder,
            store,
            pixels,
            backbone.PatchesOf(settings)
        );

        var statistics = Accumulate(ordered, prior, embeddings, parallel, progress);
        keepStatistics?.Invoke(statistics);

        progress?.Invoke(new FitProgress(FitStage.Factorising, EmbeddingShare));
        var regularisation = new Regularisation(
            settings.Epsilon,
            settings.Shrinkage,
            MomentsOf(ordered, statistics, embeddings, parallel)
        );
        var distribution = PatchDistribution.Freeze(statistics, regularisation, parallel);

        progress?.Invoke(new FitProgress(FitStage.Calibrating, EmbeddingShare + FactorisingShare));
        var calibration = Calibrate(
            ordered,
            LeaveOneOut.Consume(statistics, regularisation, parallel),
            embedder.Preprocessing,
            statistics.Grid,
            embeddings,
            parallel,
            progress
        );
        var model = new PadimModel(
            settings,
            backbone.Identity,
            reduction,
            distribution,
            calibration,
            [.. ordered.Select(image => image.Sha256)]
        )
        {
            Ignored = ignored,
            Template = template,
            Findings = pixels.Review(),
        };
        // One image more or less makes another template, and with it other embeddings.
        if (template is not null)
            store.Forget(key);
        return model with { GoldenImages = SelfTest.Choose(new ModelScorer(model, backbone), i => pixels[i]) };
    }

    /// <summary>
    /// Pass one: every image that the statistics lack is embedded and added; images that are gone are taken out again.
    /// </summary>
    private static PatchStatistics Accumulate(
        TrainingImage[] images,
        PriorFit? prior,
        TrainingEmbeddings embeddings,
        ParallelOptions parallel,
        Action<FitProgress>? progress
    )
    {
        var known = prior?.TrainingImages.ToHashSet(StringComparer.Ordinal) ?? [];
        var gone = known
            .Except(images.Select(image => image.Sha256), StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToArray();
        var statistics =
            prior is not null && gone.Length < images.Length && gone.All(embeddings.AreKept)
                ? prior.ReadStatistics()
                : null;
        if (statistics is null)
        {
            known = [];
            gone = [];
        }

        foreach (var batch in gone.Chunk(embeddings.BatchSize))
            statistics!.Remove(embeddings.Kept(batch), parallel);
        var added = images.Where(image => !known.Contains(image.Sha256)).ToArray();
        var done = 0;
        foreach (var batch in added.Chunk(embeddings.BatchSize))
        {
            var embedded = embeddings.Get(batch, parallel);
            statistics ??= new PatchStatistics(embedded[0].Grid, embedded[0].Dimensions);
            statistics.Add(embedded, parallel);
            done += batch.Length;
            progress?.Invoke(new FitProgress(FitStage.Embedding, EmbeddingShare * done / added.Length));
        }
        return statistics!;
    }

    /// <summary>A pass of its own over the kept embeddings, for the one shrinkage that needs it.</summary>
    private FourthMoments? MomentsOf(
        TrainingImage[] images,
        PatchStatistics statistics,
        TrainingEmbeddings embeddings,
        ParallelOptions parallel
    )
    {
        if (settings.Shrinkage != ShrinkageMethod.LedoitWolf)
            return null;
        var moments = new FourthMoments(statistics.Grid, statistics.Dimensions);
        foreach (var batch in images.Chunk(embeddings.BatchSize))
            moments.Add(statistics, embeddings.Get(batch, parallel), parallel);
        return moments;
    }

    /// <summary>Pass two: the exact leave-one-out image score of every training image.</summary>
    private ThresholdCalibration Calibrate(
        TrainingImage[] images,
        LeaveOneOut leaveOneOut,
        Preprocessor preprocessing,
        Grid patches,
        TrainingEmbeddings embeddings,
        ParallelOptions parallel,
        Action<FitProgress>? progress
    )
    {
        var region = settings.CreateRegion(ignored, patches);
        var mapper = new PixelMapper(patches, settings.GetPreparedSize(), settings.BlurSigma);
        var scores = new double[images.Length];
        var done = 0;
        foreach (var batch in images.Chunk(embeddings.BatchSize))
        {
            var embedded = embeddings.Get(batch, parallel);
            var maps = leaveOneOut.ComputeDistances(embedded, parallel);
            Parallel.For(
                0,
                batch.Length,
                parallel,
                i =>
                    scores[done + i] = preprocessing
                        .ToImageFrame(
                            mapper.ToPixels(maps[i], region),
                            embedded[i].Placement
                        )
                        .Max()
            );
            done += batch.Length;
            progress?.Invoke(
                new FitProgress(
                    FitStage.Calibrating,
                    1 - (1 - EmbeddingShare - FactorisingShare) * (images.Length - done) / images.Length
                )
            );
        }
        return new ThresholdCalibration(scores);
    }

    private static float[] Template(TrainingPixels pixels, Action<FitProgress>? progress)
    {
        progress?.Invoke(new FitProgress(FitStage.Aligning, 0));
        return pixels.Template();
    }
}
