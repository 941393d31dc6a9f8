using PaDiM.Core;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.Evaluation;

/// <summary>
/// Measures a model on labelled images. Each image is scored once; its map is kept at the prepared size, on disk where
/// there is a store, and drawn out to the mask's own resolution whenever the pixel metrics pass over it, so that memory
/// holds few maps at a time. Masks are decoded once.
/// </summary>
/// <param name="inspector">The model.</param>
/// <param name="decoder">Reads images and masks.</param>
/// <param name="kept">Maps that need not be made again, and where those that are made go; null to keep none.</param>
public sealed class EvaluationPipeline(ModelScorer inspector, ImageDecoder decoder, MapStore? kept = null)
{
    /// <summary>Where all go through a device, enough to keep it at work.</summary>
    private const int LargestBatch = 8;

    /// <summary>Evaluates.</summary>
    /// <param name="images">Normal and anomalous images; masks are read on several threads.</param>
    /// <param name="threshold">Where decisions are made.</param>
    /// <param name="progress">Told the share of images scored, 0 to 1.</param>
    /// <param name="cancellation">Stops between two batches, of scoring and of each pass of the pixel metrics.</param>
    /// <param name="knownNormals">Scores of more normal images, known otherwise: they count for the image metrics and
    /// the decisions, and have no pixels here.</param>
    /// <exception cref="InvalidDataException">An image or mask that cannot be read, or a mask of another size than its
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
        foreach (var batch in images.Chunk(Math.Min(inspector.SideBySide, LargestBatch)))
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
                    .Select(s => new LabelledMap(s.Image.Defect, () => AtFullSize(s))),
            ],
            inspector.Embedder.Backbone.Runtime.InParallel(cancellation)
        );
        return new EvaluationReport(
            ImagesOf(normals, scored.Where(s => s.Image.Defect is not null)),
            pixels.All,
            [
                .. defects.Select(defect => new DefectReport(
                    defect.Key,
                    defect.Count(),
                    ImagesOf(normals, defect),
                    pixels.PerDefect.GetValueOrDefault(defect.Key, PixelMetrics.Undefined)
                )),
            ],
            ConfusionOf(normals, [.. scored.Where(s => s.Image.Defect is not null).Select(s => s.Score)], threshold),
            [.. scored.Select(s => s.Score)]
        );
    }

    /// <summary>Images side by side; those whose maps are kept need no more than to be read.</summary>
    private Scored[] Score(TestImage[] batch, CancellationToken cancellation)
    {
        var maps = batch.Select(image => kept?.Read(image.Name)).ToArray();
        var missing = Enumerable.Range(0, batch.Length).Where(i => maps[i] is null).ToArray();
        var pixels = Decode([.. missing.Select(i => batch[i])], cancellation);
        foreach (
            var (i, image, (map, placement)) in missing.Zip(pixels, pixels.Length > 0 ? inspector.Score(pixels) : [])
        )
        {
            if (!float.IsFinite(map.Max()))
                throw new InvalidDataException(
                    $"The backbone answers {batch[i].Name} with values that are not finite."
                );
            maps[i] = new KeptMap(map, new Grid(image.Height, image.Width), placement);
            kept?.Write(batch[i].Name, maps[i]!);
        }
        return [.. batch.Zip(maps, (image, map) => ToScored(image, map!))];
    }

    private RgbImage[] Decode(TestImage[] images, CancellationToken cancellation)
    {
        var pixels = new RgbImage[images.Length];
        try
        {
            Parallel.For(
                0,
                images.Length,
                inspector.Embedder.Backbone.Runtime.InParallel(cancellation),
                i => pixels[i] = Decode(images[i].Name, images[i].Read())
            );
        }
        catch (AggregateException e)
        {
            ParallelFaults.Rethrow(e);
        }
        return pixels;
    }

    private static ImageMetrics ImagesOf(float[] normals, IEnumerable<Scored> anomalous)
    {
        float[] scores = [.. normals, .. anomalous.Select(s => s.Score)];
        return ImageMetrics.Compute(scores, [.. scores.Select((_, i) => i >= normals.Length)]);
    }

    private Scored ToScored(TestImage image, KeptMap scored) =>
        new(image, scored.ImageSize, scored.Placement, scored.Map.Max(), kept is null ? scored.Map : null);

    private AnomalyMap MapOf(Scored image) =>
        image.Map
        ?? kept!.Read(image.Image.Name)?.Map
        ?? throw new InvalidDataException($"The kept map of {image.Image.Name} is gone or damaged.");

    private ScoredPixels AtFullSize(Scored image)
    {
        var labels = image.Labels ?? LabelsOf(image);
        // Outlines of defects are small; a mask of noise would fill memory, and is decoded again in each pass.
        if (labels.Bytes <= image.Size.Positions / 4)
            image.Labels = labels;
        return new ScoredPixels(
            labels,
            inspector.Embedder.Preprocessing.ToOriginal(MapOf(image), image.Size.Width, image.Size.Height)
        );
    }

    private PixelLabels LabelsOf(Scored image)
    {
        var ignored = inspector.IgnoredAt(image.Size, image.Placement);
        if (image.Image.ReadMask is not { } read)
            return new PixelLabels(image.Size, null, ignored);
        var mask = Decode($"the mask of {image.Image.Name}", read());
        if (new Grid(mask.Height, mask.Width) != image.Size)
            throw new InvalidDataException(
                $"The mask of {image.Image.Name} has {mask.Width} x {mask.Height} pixels, its image {image.Size.Width} x {image.Size.Height}."
            );
        return new PixelLabels(image.Size, MaskImage.Marks(mask, image.Size), ignored);
    }

    private RgbImage Decode(string name, byte[] bytes) =>
        decoder.Decode(bytes) switch
        {
            DecodeResult.Decoded decoded => decoded.Image,
            DecodeResult.Refused refused => throw new InvalidDataException($"{name} cannot be read: {refused.Detail}"),
            _ => throw new InvalidOperationException(),
        };

    private static Confusion ConfusionOf(float[] normals, float[] anomalous, double threshold)
    {
        var rejected = normals.Count(score => score >= threshold);
        var found = anomalous.Count(score => score >= threshold);
        return new Confusion(threshold, found, rejected, normals.Length - rejected, anomalous.Length - found);
    }

    /// <summary>A scored image. Its map is held only where it is kept nowhere else.</summary>
    private sealed record Scored(TestImage Image, Grid Size, RigidTransform Placement, float Score, AnomalyMap? Map)
    {
        public PixelLabels? Labels { get; set; }
    }
}
