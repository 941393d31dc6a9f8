using PaDiM.Core.Embedding;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Scoring;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Pipelines;

/// <summary>
/// Measures a model on labelled images. Each image is scored once; its map is kept at the prepared size and drawn out to the mask's own
/// resolution whenever the pixel metrics pass over it, so that memory holds few full-size maps at a time. Masks are decoded once.
/// </summary>
/// <param name="inspector">The model.</param>
/// <param name="decoder">Reads images and masks.</param>
/// <param name="kept">Maps that need not be made again, and where those that are made go; null to keep none.</param>
public sealed class EvaluationPipeline(Inspector inspector, ImageDecoder decoder, MapStore? kept = null)
{
    /// <summary>Evaluates.</summary>
    /// <param name="images">Normal and anomalous images; masks are read on several threads.</param>
    /// <param name="threshold">Where decisions are made.</param>
    /// <param name="progress">Told the share of images scored, 0 to 1.</param>
    /// <param name="cancellation">Stops between two images, of scoring and of each pass of the pixel metrics.</param>
    /// <exception cref="InvalidDataException">An image or mask that cannot be read, or a mask of another size than its image.</exception>
    public EvaluationReport Run(IReadOnlyList<TestImage> images, double threshold, Action<double>? progress, CancellationToken cancellation)
    {
        var scored = new List<Scored>(images.Count);
        foreach (var image in images)
        {
            cancellation.ThrowIfCancellationRequested();
            scored.Add(Score(image));
            progress?.Invoke((double)scored.Count / images.Count);
        }
        var defects = scored.Where(s => s.Image.Defect is not null).GroupBy(s => s.Image.Defect!, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal);
        var normals = scored.Where(s => s.Image.Defect is null).ToArray();
        var pixels = PixelMetrics.ByDefect(
            [.. scored.Where(s => s.Image.Defect is null || s.Image.ReadMask is not null).Select(s => new LabelledMap(s.Image.Defect, () => AtFullSize(s)))],
            new ParallelOptions { MaxDegreeOfParallelism = inspector.Threads, CancellationToken = cancellation });
        return new EvaluationReport(
            ImagesOf(scored), pixels.All,
            [.. defects.Select(defect => new DefectReport(
                defect.Key, defect.Count(), ImagesOf([.. normals, .. defect]), pixels.PerDefect.GetValueOrDefault(defect.Key, PixelMetrics.None)))],
            ConfusionOf(scored, threshold));
    }

    private Scored Score(TestImage image)
    {
        if (kept?.Read(image.Name) is { } found) return new Scored(image, found.Map, found.Map.Max(), found.ImageSize);
        var pixels = Decode(image.Name, image.Read());
        var map = inspector.Score(pixels);
        if (!float.IsFinite(map.Max())) throw new InvalidDataException($"The backbone answers {image.Name} with values that are not finite.");
        var size = new Grid(pixels.Height, pixels.Width);
        kept?.Write(image.Name, new KeptMap(map, size));
        return new Scored(image, map, map.Max(), size);
    }

    private static ImageMetrics ImagesOf(IReadOnlyCollection<Scored> images) => ImageMetrics.Of([.. images.Select(s => s.Score)], [.. images.Select(s => s.Image.Defect is not null)]);

    private ScoredPixels AtFullSize(Scored image)
    {
        var labels = image.Labels ?? LabelsOf(image);
        // Outlines of defects are small; a mask of noise would fill memory, and is decoded again in each pass.
        if (labels.Bytes <= image.Size.Positions / 4) image.Labels = labels;
        return new ScoredPixels(labels, inspector.Embedder.Preprocessing.ToOriginal(image.Map, image.Size.Width, image.Size.Height));
    }

    private PixelLabels LabelsOf(Scored image)
    {
        if (image.Image.ReadMask is not { } read) return new PixelLabels(image.Size, null);
        var mask = Decode($"the mask of {image.Image.Name}", read());
        if (new Grid(mask.Height, mask.Width) != image.Size)
            throw new InvalidDataException($"The mask of {image.Image.Name} has {mask.Width} x {mask.Height} pixels, its image {image.Size.Width} x {image.Size.Height}.");
        var labels = new bool[image.Size.Positions];
        for (var p = 0; p < labels.Length; p++) labels[p] = mask.Pixels[3 * p] > 127;
        return new PixelLabels(image.Size, labels);
    }

    private RgbImage Decode(string name, byte[] bytes) => decoder.Decode(bytes) switch
    {
        DecodeResult.Decoded decoded => decoded.Image,
        DecodeResult.Refused refused => throw new InvalidDataException($"{name} cannot be read: {refused.Detail}"),
        _ => throw new InvalidOperationException(),
    };

    private static Confusion ConfusionOf(IReadOnlyCollection<Scored> images, double threshold)
    {
        return new Confusion(threshold, Count(true, true), Count(false, true), Count(false, false), Count(true, false));

        int Count(bool anomalous, bool found) => images.Count(s => s.Image.Defect is not null == anomalous && s.Score >= threshold == found);
    }

    private sealed record Scored(TestImage Image, AnomalyMap Map, float Score, Grid Size)
    {
        public PixelLabels? Labels { get; set; }
    }
}
