using PaDiM.Core;
using PaDiM.Core.Alignment;
using PaDiM.Core.Calibration;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Fits a model to images of normal parts (Defard et al., section III-B). Streams the images in batches, so that memory
/// does not grow with their number. The same images, settings and backbone give the same model.
/// </summary>
/// <param name="backbone">The network.</param>
/// <param name="settings">The settings of the model.</param>
/// <param name="decoder">Reads images.</param>
/// <param name="store">Stores embeddings between the passes, and between fits.</param>
/// <param name="compute">Where to compute.</param>
/// <param name="ignored">Pixels that the model ignores, at the image size and before any crop; null for none.</param>
public sealed class FitPipeline(
    Backbone backbone,
    FitSettings settings,
    ImageDecoder decoder,
    EmbeddingStore store,
    ComputeContext compute,
    bool[]? ignored = null
)
{
    private const double EmbeddingShare = 0.75;
    private const double FactorisingShare = 0.1;

    /// <summary>Fits a model.</summary>
    /// <param name="images">At least two different images; copies count once.</param>
    /// <param name="prior">An earlier fit with the same settings and backbone, to update; null for a new fit.</param>
    /// <param name="keepStatistics">Called once with the finished statistics, before the fit overwrites them.</param>
    /// <param name="progress">Called after every batch, on the caller's thread.</param>
    /// <param name="cancellation">Stops the fit between two batches.</param>
    /// <exception cref="UserFaultException">There are too few images, one can no longer be read, or they give no usable
    /// statistics.</exception>
    public PadimModel Run(
        IReadOnlyList<TrainingImage> images,
        PriorFit? prior,
        Action<TrainingStatistics>? keepStatistics,
        Action<FitProgress>? progress,
        CancellationToken cancellation
    )
    {
        try
        {
            try
            {
                return Fit(images, prior, keepStatistics, progress, cancellation);
            }
            catch (AggregateException e)
            {
                // Prefer the fault that the user can act on.
                ParallelFaults.Rethrow(e, fault => fault is UserFaultException);
                throw;
            }
        }
        catch (ArithmeticException e) when (e is not OverflowException)
        {
            throw new UserFaultException(
                ProblemCodes.StatisticsDegenerate,
                $"The images give no usable statistics: {e.Message}",
                e
            );
        }
    }

    /// <summary>Counts the images that a fit would have to embed because the store does not have them.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="settings">The settings of the model.</param>
    /// <param name="store">Stores embeddings.</param>
    /// <param name="images">SHA-256 of each image.</param>
    public static int CountMissing(
        Backbone backbone,
        FitSettings settings,
        EmbeddingStore store,
        IReadOnlyCollection<string> images
    )
    {
        // Each fit builds a template from all images, and aligns all images to it.
        if (settings.Alignment != AlignmentMethod.None)
            return images.Count;
        var key = EmbeddingStore.CreateKey(
            backbone.Identity,
            settings,
            ChannelReduction.Draw(settings.Reduction, backbone.TapChannels, settings.Dimensions, settings.Seed)
        );
        return images.Count(image => !store.Contains(key, image));
    }

    private PadimModel Fit(
        IReadOnlyList<TrainingImage> images,
        PriorFit? prior,
        Action<TrainingStatistics>? keepStatistics,
        Action<FitProgress>? progress,
        CancellationToken cancellation
    )
    {
        if (images.Count < 2)
            throw new UserFaultException(
                ProblemCodes.TooFewImages,
                "A fit needs at least 2 images of normal parts; there "
                    + (images.Count == 1 ? "is 1." : $"are {images.Count}.")
            );
        if (settings.ValidateIgnoreMask(ignored) is { } fault)
            throw new UserFaultException(ProblemCodes.IgnoreMaskUnusable, fault);
        var parallel = compute.ToParallelOptions(cancellation);
        var reduction =
            prior?.Reduction
            ?? ChannelReduction.Draw(settings.Reduction, backbone.TapChannels, settings.Dimensions, settings.Seed);
        var ordered = images.OrderBy(image => image.Sha256, StringComparer.Ordinal).ToArray();
        var decoding = DecodeOptions.For(settings);
        var pixels = new TrainingPixels(settings, ordered, decoder, decoding, store, parallel);
        var template = BuildTemplate(pixels, ordered, parallel, progress);
        // Embeddings that were aligned to the template of the earlier fit cannot be combined with new ones.
        if (template is not null)
            prior = null;
        var embedder = new Embedder(backbone, settings, reduction, template);
        if (settings.Region is not null)
            pixels = new TrainingPixels(settings, ordered, decoder, decoding, store, parallel, embedder);
        var key = EmbeddingStore.CreateKey(backbone.Identity, settings, reduction, template);
        using var embeddings = new TrainingEmbeddings(
            embedder,
            key,
            decoder,
            store,
            pixels,
            backbone.GetPatchGrid(settings),
            compute,
            cancellation
        );

        // What is ignored must not change scores elsewhere. A Gaussian that all positions share weighs them while they
        // are added.
        var counted = new CountedAreas(settings, ignored, embeddings.Patches);
        var shares = settings.Positions == PatchPositions.Shared ? GetShares(counted, pixels.GetShrunkSizes()) : null;
        var statistics = Accumulate(pixels, prior, shares, embeddings, parallel, progress);
        pixels.DropCopies();
        ordered = [.. pixels.Images];
        if (ordered.Length < 2)
            throw OneFrame(images.Count);
        keepStatistics?.Invoke(statistics);

        progress?.Invoke(new FitProgress(FitStage.Factorising, EmbeddingShare));
        var sizes = pixels.GetShrunkSizes();
        shares ??= GetShares(counted, sizes);
        var shrinkage = ShrinkageRule.Resolve(settings.Shrinkage, statistics, shares);
        var regularisation = new Regularisation(
            settings.Epsilon,
            shrinkage,
            shrinkage == ShrinkageMethod.LedoitWolf
                ? ComputeMoments(ordered, (PatchStatistics)statistics, embeddings, parallel)
                : null
        )
        {
            RelativeRidge = settings.RelativeRidge,
            QuietExponent = settings.QuietExponent,
            // The sums of a Gaussian that all positions share hold the shares already.
            Shares = settings.Positions == PatchPositions.Own ? shares : null,
        };
        var distribution = PatchDistribution.Freeze(statistics, regularisation, parallel);

        progress?.Invoke(new FitProgress(FitStage.Calibrating, EmbeddingShare + FactorisingShare));
        var (scores, distances) = Calibrate(
            ordered,
            LeaveOneOut.Consume(statistics, regularisation, parallel),
            embedder.Preprocessing,
            [.. sizes.Select(settings.CreateFrame)],
            counted,
            embeddings,
            parallel,
            progress
        );
        var traits = pixels.GetTraits();
        if (TrainingSetReview.IsOneFrame(traits))
            throw OneFrame(images.Count);
        var inputs = pixels.GetInputTraits(embedder.Preprocessing);
        TrainingFinding[] findings =
        [
            .. TrainingSetReview
                .FindAll(traits, parallel)
                .Concat(
                    inputs
                        .Index()
                        .Where(image => InputProfile.IsLowRange(image.Item))
                        .Select(image => new TrainingFinding(image.Index, TrainingFindingKind.LowRange, 0))
                )
                .OrderBy(finding => finding.Index)
                .ThenBy(finding => finding.Kind),
        ];
        var calibration = new ThresholdCalibration(scores, TrainingSetReview.FindUncounted(findings, scores));
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
            Findings = findings,
            Profile = InputProfile.Estimate(inputs, distances),
            Shrinkage = shrinkage,
        };
        // Another set of images gives another template, so nothing will read these embeddings again.
        if (template is not null)
            store.Remove(key);
        var scorer = new ModelScorer(model, backbone);
        var golden = SelfTest.ChooseGoldenImages(scorer, compute, i => pixels[i]);
        if (template is not null && settings.Region is not null)
            store.RemovePixels(settings, decoding, embedder.Preprocessing.RegionKey);
        // With itself in the model, an image scores lower than without, unless both scores are rounding errors.
        if (scores.Max() < SelfTest.MinReferenceScore && ScoreLikeliest() >= scores.Max())
            throw new UserFaultException(
                ProblemCodes.TooFewImages,
                $"The {ordered.Length} images do not differ where the model looks, so it would reject every other "
                    + "part. Add images of different parts, or check the crop and the ignore mask."
            );
        return model with { GoldenImages = golden };

        float ScoreLikeliest() =>
            settings.Tiles is null
                ? golden.Max(image => image.Score)
                // The golden image is smaller than the images that the scores are of.
                : scorer.ComputeScore(pixels[Array.IndexOf(scores, scores.Max())], compute);
    }

    /// <summary>
    /// Gets the share of each patch that counts, as a mean over the images; null if all counts in all of them.
    /// </summary>
    /// <exception cref="UserFaultException">The ignore mask leaves nothing of an image.</exception>
    private float[]? GetShares(CountedAreas counted, Grid[] sizes)
    {
        if (
            sizes.Select(size => settings.ValidateIgnoreMask(ignored, size)).FirstOrDefault(f => f is not null) is { } f
        )
            throw new UserFaultException(ProblemCodes.IgnoreMaskUnusable, f);
        var groups = sizes.GroupBy(size => settings.CreateFrame(size).Content).ToArray();
        var areas = groups.Select(group => counted.Get(settings.CreateFrame(group.First())).Region).ToArray();
        if (areas.Length == 1)
            return areas[0]?.PatchWeights.ToArray();
        var shares = new float[counted.Patches.Positions];
        foreach (var (region, group) in areas.Zip(groups))
            for (var p = 0; p < shares.Length; p++)
                shares[p] += (region is null ? 1 : region.PatchWeights[p]) * group.Count() / sizes.Length;
        return shares;
    }

    private static UserFaultException OneFrame(int images) =>
        new(
            ProblemCodes.TooFewImages,
            $"A fit needs at least 2 different images; the {images} images are copies of one picture. Add photographs "
                + "of other good parts."
        );

    /// <summary>
    /// Embeds every image that the statistics lack and adds it; subtracts removed images. Of copies, only one is
    /// added. This is the first pass.
    /// </summary>
    private TrainingStatistics Accumulate(
        TrainingPixels pixels,
        PriorFit? prior,
        float[]? shares,
        TrainingEmbeddings embeddings,
        ParallelOptions parallel,
        Action<FitProgress>? progress
    )
    {
        var images = pixels.Images;
        var known = prior?.TrainingImages.ToHashSet(StringComparer.Ordinal) ?? [];
        var gone = known
            .Except(images.Select(image => image.Sha256), StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToArray();
        var seen = pixels.GetContents([.. images.Where(image => known.Contains(image.Sha256))]);
        var statistics =
            prior is not null
            && gone.Length < images.Count
            && gone.All(embeddings.Contains)
            // Statistics of earlier versions may hold copies.
            && seen.Distinct(StringComparer.Ordinal).Count() == seen.Length
                ? prior.ReadStatistics()
                : null;
        if (statistics?.IsFor(settings.Positions, shares) != true)
        {
            statistics = null;
            known = [];
            gone = [];
            seen = [];
        }

        foreach (var batch in gone.Chunk(embeddings.BatchSize))
            statistics!.Remove(embeddings.LoadRemoved(batch), parallel);
        var added = images.Where(image => !known.Contains(image.Sha256)).ToArray();
        var contents = seen.ToHashSet(StringComparer.Ordinal);
        var done = 0;
        foreach (var batch in added.Chunk(embeddings.BatchSize))
        {
            var embedded = embeddings.Load(batch);
            statistics ??= TrainingStatistics.Create(
                settings.Positions,
                embedded[0].Grid,
                embedded[0].Dimensions,
                shares
            );
            PatchEmbedding[] different =
            [
                .. embedded
                    .Zip(pixels.GetContents(batch))
                    .Where(image => contents.Add(image.Second))
                    .Select(image => image.First),
            ];
            if (different.Length > 0)
                statistics.Add(different, parallel);
            done += batch.Length;
            progress?.Invoke(new FitProgress(FitStage.Embedding, EmbeddingShare * done / added.Length));
        }
        return statistics!;
    }

    /// <summary>Makes another pass over the stored embeddings, for the one kind of shrinkage that needs it.</summary>
    private static FourthMoments ComputeMoments(
        TrainingImage[] images,
        PatchStatistics statistics,
        TrainingEmbeddings embeddings,
        ParallelOptions parallel
    )
    {
        var moments = new FourthMoments(statistics.Grid, statistics.Dimensions);
        foreach (var batch in images.Chunk(embeddings.BatchSize))
            moments.Add(statistics, embeddings.Load(batch), parallel);
        return moments;
    }

    /// <summary>
    /// Computes the exact leave-one-out image score of every training image, and its median distance. This is the
    /// second pass.
    /// </summary>
    private (double[] Scores, double[] Distances) Calibrate(
        TrainingImage[] images,
        LeaveOneOut leaveOneOut,
        Preprocessor preprocessing,
        ImageFrame[] frames,
        CountedAreas counted,
        TrainingEmbeddings embeddings,
        ParallelOptions parallel,
        Action<FitProgress>? progress
    )
    {
        var mapper = new PixelMapper(embeddings.Patches, settings.GetPreparedSize(), settings.BlurSigma);
        var scores = new double[images.Length];
        var distances = new double[images.Length];
        var done = 0;
        foreach (var batch in images.Chunk(embeddings.BatchSize))
        {
            var embedded = embeddings.Load(batch);
            var maps = leaveOneOut.ComputeDistances(embedded, parallel);
            ParallelLoop.For(
                batch.Length,
                parallel,
                i =>
                {
                    var frame = frames[done + i];
                    var area = counted.Get(frame);
                    var map = preprocessing.ToImageFrame(
                        mapper.ToPixels(maps[i], area.Region),
                        frame,
                        embedded[i].Placement
                    );
                    scores[done + i] = area.Score.Compute(map);
                    distances[done + i] = MedianDistance.Compute(map);
                }
            );
            done += batch.Length;
            progress?.Invoke(
                new FitProgress(
                    FitStage.Calibrating,
                    1 - (1 - EmbeddingShare - FactorisingShare) * (images.Length - done) / images.Length
                )
            );
        }
        return (scores, distances);
    }

    /// <summary>
    /// Builds the mean image that others are aligned to; null without alignment. A region is found by the whole image.
    /// </summary>
    private float[]? BuildTemplate(
        TrainingPixels pixels,
        TrainingImage[] images,
        ParallelOptions parallel,
        Action<FitProgress>? progress
    )
    {
        if (settings.Alignment == AlignmentMethod.None)
            return null;
        if (settings.Region is not null)
        {
            var whole = settings.GetTemplateSettings();
            pixels = new TrainingPixels(whole, images, decoder, DecodeOptions.For(whole), store, parallel);
        }
        pixels.DropCopies();
        progress?.Invoke(new FitProgress(FitStage.Aligning, 0));
        return pixels.BuildTemplate();
    }
}
