using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Scoring;

/// <summary>Draws heatmaps: of one model as it is, of several on one scale with all thresholds at 1.</summary>
internal sealed class ScoreDrawing(ImageAdmission admission, ImageDecoder decoder)
{
    /// <summary>Gets whether a picture is drawn over the pixels of the image; a mask is not.</summary>
    public static bool NeedsPixels(ScoreDetails details) => details.Heatmap is not null and not HeatmapStyle.Mask;

    /// <summary>Gets the problem of an image that the format of the picture cannot hold; null if it can.</summary>
    public static Problem? Validate(ScoreDetails details, Grid size)
    {
        var maxSide = NeedsPixels(details) ? ImageEncoder.GetMaxSide(details.Format) : int.MaxValue;
        return Math.Max(size.Width, size.Height) > maxSide
            ? Problems.PictureTooLarge(details.Format.ToString(), maxSide)
            : null;
    }

    /// <summary>
    /// Draws a heatmap. An image that was scaled down for scoring is decoded again, so that the score is the same with
    /// and without a heatmap.
    /// </summary>
    public async Task<Outcome<byte[]>> DrawAsync(
        PreparedImage image,
        IReadOnlyList<ModelScore> scores,
        RequestFile file,
        ScoreDetails details,
        Priority priority,
        CancellationToken cancellationToken
    )
    {
        var isDecodedAgain = NeedsPixels(details) && image.Pixels is null;
        var decodeBytes = 0L;
        Problem? problem = null;
        if (
            isDecodedAgain
            && !file.ProbeDecodeBytes(decoder, DecodeOptions.Default).Succeeded(out decodeBytes, out problem)
        )
            return problem;
        using var lease = await admission.AcquireAsync(decodeBytes, priority, cancellationToken);
        var (height, width) = image.Size;
        if (!NeedsPixels(details))
            return ImageEncoder.EncodeMask(CombineMasks(scores), width, height);
        var pixels = image.Pixels;
        if (pixels is null)
        {
            if (!file.ToImage(decoder, DecodeOptions.Default).Succeeded(out var decoded, out problem))
                return problem;
            pixels = decoded.Image;
        }
        var isAnomalous = scores.Any(score => double.IsFinite(score.Level));
        var (map, threshold) = CombineMaps(scores, image.Size);
        return HeatmapRenderer.Render(
            pixels,
            map,
            threshold,
            isAnomalous,
            details.Heatmap!.Value,
            details.Format,
            [.. scores.Select(score => score.Mapper.Region).OfType<RegionPlacement>()]
        );
    }

    private static byte[] CombineMasks(IReadOnlyList<ModelScore> scores)
    {
        var combined = ToMask(scores[0]);
        foreach (var score in scores.Skip(1))
        {
            var mask = ToMask(score);
            for (var i = 0; i < combined.Length; i++)
                combined[i] |= mask[i];
        }
        return combined;
    }

    private static byte[] ToMask(ModelScore score) => score.Mapper.ToOriginalMask(score.Map, score.Level);

    /// <summary>
    /// Combines the maps of several models: the largest share of a threshold at each pixel. Below the threshold of its
    /// image score, a model's map stays below 1, because what it has not found must not be outlined.
    /// </summary>
    private static (AnomalyMap Map, double Threshold) CombineMaps(IReadOnlyList<ModelScore> scores, Grid size)
    {
        if (scores.Count == 1)
            return (scores[0].Mapper.ToOriginal(scores[0].Map), scores[0].Model.Threshold);
        var combined = new float[size.Positions];
        foreach (var score in scores)
        {
            var values = score.Mapper.ToOriginal(score.Map).Values;
            var scale = (float)(1 / Math.Max(score.Model.Threshold, 1e-6));
            var most = double.IsFinite(score.Level) ? float.MaxValue : MathF.BitDecrement(1);
            for (var i = 0; i < combined.Length; i++)
                combined[i] = Math.Max(combined[i], Math.Min(values[i] * scale, most));
        }
        return (new AnomalyMap(size, combined), 1);
    }
}
