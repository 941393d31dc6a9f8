using PaDiM.Core;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.Evaluation;

/// <summary>
/// Measures a model on labelled images. Scores each image once and keeps its map at the prepared size, on disk if there
/// is a store. Resizes a map to the mask's resolution whenever the pixel metrics pass over it, so that few large maps
/// are in memory at a time. Decodes each mask once.
/// </summary>
/// <param name="scorer">The model.</param>
/// <param name="decoder">Reads images and masks.</param>
/// <param name="compute">Where to compute.</param>
/// <param name="store">Provides maps of an earlier run, and stores new ones; null to keep maps in memory.</param>
public sealed class EvaluationPipeline(
    ModelScorer scorer,
    ImageDecoder decoder,
    ComputeContext compute,
    MapStore? store = null
)
{
    /// <summary>Bounds a batch where a device scores; enough to keep the device busy.</summary>
    private const int MaxBatchSize = 8;

    /// <summary>Runs the evaluation.</summary>
    /// <param name="images">Normal and anomalous images; masks are read on several threads.</param>
    /// <param name="threshold">Scores at or above it are anomalous.</param>
    /// <param name="progress">Called with the share of images scored, 0 to 1.</param>
    /// <param name="cancellation">Stops between two batches, of scoring and of each pass of the pixel metrics.</param>
    /// <param name="knownNormals">Scores of more normal images, known from elsewhere: they count for the image metrics
    /// and the decisions, but not for the pixel metrics.</param>
    /// <exception cref="UserFaultException">An image or mask cannot be read, or a mask differs in size from its
    /// image.</exception>
    public EvaluationReport Run(
        IReadOnlyList<TestImage> images,
        double threshold,
        Action<double>? progress,
        CancellationToken cancellation,
        IReadOnlyList<float>? knownNormals = null
    )
    {
        var scored = new List<Scored>(images.Count);
        foreach (var batch in images.Chunk(Math.Min(scorer.PreferredBatchSize, MaxBatchSize)))
        {
            scored.AddRange(Score(batch, cancellation));
            progress?.Invoke((double)scored.Count / images.Count);
        }
        var defects = scored
            .Where(s => s.Image.Defect is not null)
            .GroupBy(s => s.Image.Defect!, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal);
        float[] normals = [.. scored.Where(s => s.Image.Defect is null).Select(s => s.Score), .. knownNormals ?? []];
        var pixels = PixelMetrics.ComputeByDefect(
            [
                .. scored
                    .Where(s => s.Image.Defect is null || s.Image.ReadMask is not null)
                    .Select(s => new LabelledMap(s.Image.Defect, () => ToFullSize(s))),
            ],
            compute.ToParallelOptions(cancellation)
        );
        return new EvaluationReport(
            MeasureImages(normals, scored.Where(s => s.Image.Defect is not null)),
            pixels.All,
            [
                .. defects.Select(defect => new DefectReport(
                    defect.Key,
                    defect.Count(),
                    MeasureImages(normals, defect),
                    pixels.PerDefect.GetValueOrDefault(defect.Key, PixelMetrics.Undefined)
                )),
            ],
            CountDecisions(normals, [.. scored.Where(s => s.Image.Defect is not null).Select(s => s.Score)], threshold),
            [.. scored.Select(s => s.Score)]
        );
    }

    /// <summary>Scores a batch of images; reads the maps that are in the store.</summary>
    private Scored[] Score(TestImage[] batch, CancellationToken cancellation)
    {
        var maps = batch.Select(image => store?.Read(image.Name)).ToArray();
        var missing = Enumerable.Range(0, batch.Length).Where(i => maps[i] is null).ToArray();
        var pixels = Decode([.. missing.Select(i => batch[i])], cancellation);
        foreach (
            var (i, image, (map, placement)) in missing.Zip(
                pixels,
                pixels.Length > 0 ? scorer.Score(pixels, compute) : []
            )
        )
        {
            if (!float.IsFinite(map.Max()))
                throw Damaged($"The backbone's output for {batch[i].Name} is not finite.");
            maps[i] = new StoredMap(map, image.Size, placement);
            store?.Write(batch[i].Name, maps[i]!);
        }
        return [.. batch.Zip(maps, (image, map) => ToScored(image, map!))];
    }

    private DecodeResult.Decoded[] Decode(TestImage[] images, CancellationToken cancellation)
    {
        var pixels = new DecodeResult.Decoded[images.Length];
        ParallelLoop.For(
            images.Length,
            compute.ToParallelOptions(cancellation),
            i =>
            {
                pixels[i] = Decode(images[i].Name, images[i].Read(), scorer.Embedder.Decoding);
                if (scorer.ValidateSize(pixels[i].Size) is { } fault)
                    throw new UserFaultException(ProblemCodes.IgnoreMaskUnusable, $"{images[i].Name}: {fault}");
            }
        );
        return pixels;
    }

    private static ImageMetrics MeasureImages(float[] normals, IEnumerable<Scored> anomalous)
    {
        float[] scores = [.. normals, .. anomalous.Select(s => s.Score)];
        return ImageMetrics.Compute(scores, [.. scores.Select((_, i) => i >= normals.Length)]);
    }

    private Scored ToScored(TestImage image, StoredMap scored) =>
        new(
            image,
            scored.ImageSize,
            scored.Placement,
            scorer.GetScore(scored.Map, scorer.CreateFrame(scored.ImageSize)),
            store is null ? scored.Map : null
        );

    private AnomalyMap GetMap(Scored image) =>
        image.Map
        ?? store!.Read(image.Image.Name)?.Map
        ?? throw Damaged($"The stored map of {image.Image.Name} is missing or damaged.");

    private ScoredPixels ToFullSize(Scored image)
    {
        var labels = image.Labels ?? ReadLabels(image);
        // The outlines of defects are small. A mask of noise would fill memory, so it is decoded again in each pass.
        if (labels.Bytes <= image.Size.Positions / 4)
            image.Labels = labels;
        return new ScoredPixels(
            labels,
            scorer.Preprocessing.CreateMapper(image.Size, image.Placement).ToOriginal(GetMap(image))
        );
    }

    private PixelLabels ReadLabels(Scored image)
    {
        var ignored = scorer.GetIgnoredPixels(image.Size, image.Placement);
        if (image.Image.ReadMask is not { } read)
            return new PixelLabels(image.Size, null, ignored);
        var mask = Decode($"the mask of {image.Image.Name}", read(), DecodeOptions.Mask).Image;
        if (new Grid(mask.Height, mask.Width) != image.Size)
            throw Damaged(
                $"The mask of {image.Image.Name} has {mask.Width} x {mask.Height} pixels, but its image has"
                    + $" {image.Size.Width} x {image.Size.Height}."
            );
        return new PixelLabels(image.Size, MaskImage.GetMarks(mask), ignored);
    }

    private DecodeResult.Decoded Decode(string name, byte[] bytes, DecodeOptions options) =>
        decoder.Decode(bytes, options).TryGetDecoded(out var decoded, out var refused)
            ? decoded
            : throw Damaged($"{name} cannot be read: {refused.Detail}");

    private static UserFaultException Damaged(string detail) => new(ProblemCodes.ImageDamaged, detail);

    private static Confusion CountDecisions(float[] normals, float[] anomalous, double threshold)
    {
        var rejected = normals.Count(score => score >= threshold);
        var found = anomalous.Count(score => score >= threshold);
        return new Confusion(threshold, found, rejected, normals.Length - rejected, anomalous.Length - found);
    }

    /// <summary>Represents a scored image. Holds its map only if there is no store.</summary>
    private sealed record Scored(TestImage Image, Grid Size, RigidTransform Placement, float Score, AnomalyMap? Map)
    {
        public PixelLabels? Labels { get; set; }
    }
}
