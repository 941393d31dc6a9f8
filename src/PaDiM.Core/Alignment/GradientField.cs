using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Where the edges of a plane are and which way they face: <c>g / (|g| + m)</c> with the gradient g and its mean
/// magnitude m. The direction decides and the strength saturates, so neither the light nor one strong edge (a scratch,
/// the black corner of a turned image) outweighs the outline of the part; after orientation correlation (Fitch,
/// Kadyrov, Christmas, Kittler, "Orientation correlation", BMVC 2002).
/// </summary>
/// <param name="side">Pixels.</param>
/// <param name="values">Shape <c>(side, side, 2)</c>: along x, along y; magnitude below 1.</param>
internal sealed class GradientField(int side, float[] values)
{
    /// <summary>Less than this, in grey values a pixel, is rounding, not an edge.</summary>
    private const double MinMeanMagnitude = 1e-2;

    public int Side { get; } = side;

    public float[] Values { get; } = values;

    /// <summary>
    /// The field of a plane by Sobel's differences; 0 on its border and everywhere on a plane without edges.
    /// </summary>
    /// <param name="plane">Shape <c>(side, side)</c>, grey values.</param>
    /// <param name="side">Pixels.</param>
    public static GradientField FromPlane(ReadOnlySpan<float> plane, int side)
    {
        var values = new float[2 * side * side];
        var sum = 0.0;
        for (var y = 1; y < side - 1; y++)
        for (var x = 1; x < side - 1; x++)
        {
            var at = y * side + x;
            var above = plane.Slice(at - side - 1, 3);
            var row = plane.Slice(at - 1, 3);
            var below = plane.Slice(at + side - 1, 3);
            var gx = (above[2] - above[0] + 2 * (row[2] - row[0]) + below[2] - below[0]) / 8;
            var gy = (below[0] - above[0] + 2 * (below[1] - above[1]) + below[2] - above[2]) / 8;
            values[2 * at] = gx;
            values[2 * at + 1] = gy;
            sum += MathF.Sqrt(gx * gx + gy * gy);
        }
        var mean = (float)(sum / (side * side));
        if (mean < MinMeanMagnitude)
        {
            Array.Clear(values);
            return new GradientField(side, values);
        }
        for (var i = 0; i < values.Length; i += 2)
        {
            var factor = 1 / (MathF.Sqrt(values[i] * values[i] + values[i + 1] * values[i + 1]) + mean);
            values[i] *= factor;
            values[i + 1] *= factor;
        }
        return new GradientField(side, values);
    }

    /// <summary>
    /// The field after a binomial filter (1 2 1) along both axes. Noise points everywhere and cancels, and
    /// interpolation takes hardly more from a movement by parts of a pixel than from one by whole pixels: what close
    /// decisions between movements need.
    /// </summary>
    public GradientField Smooth()
    {
        var rows = new float[Values.Length];
        var smoothed = new float[Values.Length];
        Filter(Values, rows, 2);
        Filter(rows, smoothed, 2 * Side);
        return new GradientField(Side, smoothed);
    }

    /// <summary>
    /// Neighbours a distance apart; the field is 0 on its border, so that rows and planes may run on beyond their ends.
    /// </summary>
    private static void Filter(ReadOnlySpan<float> from, Span<float> to, int distance)
    {
        var inner = to[distance..^distance];
        TensorPrimitives.Add(from[..^(2 * distance)], from[(2 * distance)..], inner);
        TensorPrimitives.MultiplyAdd(from[distance..^distance], 2f, inner, inner);
        TensorPrimitives.Multiply(inner, 0.25f, inner);
    }

    /// <summary>
    /// Normalised correlation of this template's field with an image's, brought into the frame of the template: over
    /// the pixels that both have, from -1 to 1; 0 where either has no edges. Cost: one pass.
    /// </summary>
    public double Correlate(GradientField image, RigidTransform transform)
    {
        var (sin, cos) = Math.SinCos(transform.Angle);
        var fieldSin = (float)sin;
        var fieldCos = (float)cos;
        double product = 0,
            own = 0,
            other = 0;
        var last = Side - 1;
        for (var y = 0; y < Side; y++)
        {
            var (startX, startY) = transform.Map(0, y, Side);
            for (var x = 0; x < Side; x++)
            {
                var px = startX + cos * x;
                var py = startY + sin * x;
                if (!(px >= 0 && py >= 0 && px < last && py < last))
                    continue;
                var ix = (int)px;
                var iy = (int)py;
                var sx = (float)(px - ix);
                var sy = (float)(py - iy);
                var pair = image.Values.AsSpan(2 * (iy * Side + ix), 4);
                var below = image.Values.AsSpan(2 * ((iy + 1) * Side + ix), 4);
                var a = (1 - sx) * (1 - sy);
                var b = sx * (1 - sy);
                var c = (1 - sx) * sy;
                var d = sx * sy;
                var gx = a * pair[0] + b * pair[2] + c * below[0] + d * below[2];
                var gy = a * pair[1] + b * pair[3] + c * below[1] + d * below[3];
                var tx = Values[2 * (y * Side + x)];
                var ty = Values[2 * (y * Side + x) + 1];
                // A gradient turns with the image: back by the angle.
                product += tx * (fieldCos * gx + fieldSin * gy) + ty * (fieldCos * gy - fieldSin * gx);
                own += tx * tx + ty * ty;
                // Of the nearest pixel: interpolation averages noise away between pixels, and would seem to match best
                // there.
                var nearest = sy < 0.5f ? pair : below;
                var (nx, ny) = sx < 0.5f ? (nearest[0], nearest[1]) : (nearest[2], nearest[3]);
                other += nx * nx + ny * ny;
            }
        }
        return own > 0 && other > 0 ? product / Math.Sqrt(own * other) : 0;
    }
}
