using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Reduces an image with a cubic B-spline that reaches two thumbnail pixels to either side. Plain means of blocks would
/// alias: edges would jump from pixel to pixel, and the thumbnail could give neither derivatives nor shifts by a
/// fraction of a pixel.
/// </summary>
internal static class ThumbnailFilter
{
    /// <summary>Reduces an image to a square.</summary>
    /// <param name="image">Shape <c>(size.Height, size.Width)</c>, row-major.</param>
    /// <param name="size">Rows and columns of the image.</param>
    /// <param name="result">Receives shape <c>(resultSide, resultSide)</c>, row-major.</param>
    /// <param name="resultSide">Side of the result, in pixels.</param>
    public static void Reduce(ReadOnlySpan<float> image, Grid size, Span<float> result, int resultSide)
    {
        var rows = GetTaps(size.Height, resultSide);
        var columns = GetTaps(size.Width, resultSide);
        var row = new float[size.Width];
        for (var y = 0; y < resultSide; y++)
        {
            Array.Clear(row);
            for (var k = 0; k < rows[y].Share.Length; k++)
                TensorPrimitives.MultiplyAdd(
                    image.Slice((rows[y].First + k) * size.Width, size.Width),
                    rows[y].Share[k],
                    row,
                    row
                );
            for (var x = 0; x < resultSide; x++)
                result[y * resultSide + x] = TensorPrimitives.Dot<float>(
                    row.AsSpan(columns[x].First, columns[x].Share.Length),
                    columns[x].Share
                );
        }
    }

    /// <summary>
    /// Gets the first input pixel of each thumbnail pixel, and the shares of it and the pixels after it; shares sum to
    /// 1.
    /// </summary>
    private static (int First, float[] Share)[] GetTaps(int side, int resultSide)
    {
        var scale = (double)side / resultSide;
        // Of a side that is shorter than the thumbnail's, each pixel reaches at least the next.
        var reach = Math.Max(1, scale);
        return
        [
            .. Enumerable
                .Range(0, resultSide)
                .Select(i =>
                {
                    var centre = (i + 0.5) * scale;
                    var first = Math.Max(0, (int)Math.Ceiling(centre - 2 * reach - 0.5));
                    var last = Math.Min(side - 1, (int)Math.Floor(centre + 2 * reach - 0.5));
                    var shares = Enumerable
                        .Range(first, last - first + 1)
                        .Select(x => EvaluateSpline(Math.Abs(x + 0.5 - centre) / reach))
                        .ToArray();
                    var total = shares.Sum();
                    return (first, Array.ConvertAll(shares, share => (float)(share / total)));
                }),
        ];
    }

    /// <summary>Evaluates the cubic B-spline at a distance from its centre, at least 0, in thumbnail pixels.</summary>
    private static double EvaluateSpline(double distance) =>
        distance switch
        {
            < 1 => 2.0 / 3 - distance * distance + distance * distance * distance / 2,
            < 2 => (2 - distance) * (2 - distance) * (2 - distance) / 6,
            _ => 0,
        };
}
