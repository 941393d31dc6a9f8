using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// The edges of a plane and their directions: <c>g / (|g| + m)</c> with the gradient g and its mean magnitude m. The
/// direction decides and the strength saturates, so neither the light nor one strong edge (a scratch, the black corner
/// of a rotated image) outweighs the outline of the part. Based on orientation correlation (Fitch, Kadyrov, Christmas,
/// Kittler, "Orientation correlation", BMVC 2002).
/// </summary>
/// <param name="size">Rows and columns of the plane.</param>
/// <param name="values">Shape <c>(height, width, 2)</c>: along x, along y; magnitude below 1.</param>
internal sealed class GradientField(Grid size, float[] values)
{
    /// <summary>The mean gradient, in grey values per pixel, below which there is only rounding, and no edge.</summary>
    private const double MinMeanMagnitude = 1e-2;

    /// <summary>Gets the rows and columns of the plane.</summary>
    public Grid Size { get; } = size;

    /// <summary>Gets the field, shape <c>(height, width, 2)</c>: along x, along y.</summary>
    public float[] Values { get; } = values;

    /// <summary>
    /// Computes the field of a plane by Sobel's operator; 0 on the border, and everywhere on a plane without edges.
    /// </summary>
    /// <param name="plane">Shape <c>(height, width)</c>, grey values.</param>
    /// <param name="size">Rows and columns of the plane.</param>
    public static GradientField FromPlane(ReadOnlySpan<float> plane, Grid size)
    {
        var values = new float[2 * size.Positions];
        var sum = 0.0;
        for (var y = 1; y < size.Height - 1; y++)
        for (var x = 1; x < size.Width - 1; x++)
        {
            var at = y * size.Width + x;
            var above = plane.Slice(at - size.Width - 1, 3);
            var row = plane.Slice(at - 1, 3);
            var below = plane.Slice(at + size.Width - 1, 3);
            var gx = (above[2] - above[0] + 2 * (row[2] - row[0]) + below[2] - below[0]) / 8;
            var gy = (below[0] - above[0] + 2 * (below[1] - above[1]) + below[2] - above[2]) / 8;
            values[2 * at] = gx;
            values[2 * at + 1] = gy;
            sum += MathF.Sqrt(gx * gx + gy * gy);
        }
        var mean = (float)(sum / size.Positions);
        if (mean < MinMeanMagnitude)
        {
            Array.Clear(values);
            return new GradientField(size, values);
        }
        for (var i = 0; i < values.Length; i += 2)
        {
            var factor = 1 / (MathF.Sqrt(values[i] * values[i] + values[i + 1] * values[i + 1]) + mean);
            values[i] *= factor;
            values[i + 1] *= factor;
        }
        return new GradientField(size, values);
    }

    /// <summary>
    /// Smooths the field with a binomial filter (1 2 1) along both axes, for close decisions between movements: noise
    /// has no direction and cancels, and interpolation then damps a movement by a fraction of a pixel hardly more than
    /// one by whole pixels.
    /// </summary>
    public GradientField Smooth()
    {
        var rows = new float[Values.Length];
        var smoothed = new float[Values.Length];
        Filter(Values, rows, 2);
        Filter(rows, smoothed, 2 * Size.Width);
        return new GradientField(Size, smoothed);
    }

    /// <summary>
    /// Filters along one axis, whose neighbours are a distance apart. The field is 0 on its border, so it does not
    /// matter that the first and last pixels of rows have the wrong neighbours.
    /// </summary>
    private static void Filter(ReadOnlySpan<float> from, Span<float> to, int distance)
    {
        var inner = to[distance..^distance];
        TensorPrimitives.Add(from[..^(2 * distance)], from[(2 * distance)..], inner);
        TensorPrimitives.MultiplyAdd(from[distance..^distance], 2f, inner, inner);
        TensorPrimitives.Multiply(inner, 0.25f, inner);
    }

    /// <summary>
    /// Computes the normalised correlation of this template's field with an image's field, which is brought into the
    /// frame of the template: from -1 to 1, over the pixels that both have; 0 if either has no edges. Cost: one pass.
    /// </summary>
    public double Correlate(GradientField image, RigidTransform transform)
    {
        var (sin, cos) = Math.SinCos(transform.Angle);
        var sampled = new SampledRows(transform, Size);
        var fieldSin = (float)sin;
        var fieldCos = (float)cos;
        double product = 0,
            own = 0,
            other = 0;
        for (var y = 0; y < Size.Height; y++)
        {
            var row = sampled[y];
            var (first, end) = row.FindInside(Size.Width, Size);
            for (var x = first; x < end; x++)
            {
                var px = row.X + row.StepX * x;
                var py = row.Y + row.StepY * x;
                var ix = (int)px;
                var iy = (int)py;
                var sx = (float)(px - ix);
                var sy = (float)(py - iy);
                var pair = image.Values.AsSpan(2 * (iy * Size.Width + ix), 4);
                var below = image.Values.AsSpan(2 * ((iy + 1) * Size.Width + ix), 4);
                // Bilinear weights of the four neighbours; each has two values, along x and along y.
                var topLeft = (1 - sx) * (1 - sy);
                var topRight = sx * (1 - sy);
                var bottomLeft = (1 - sx) * sy;
                var bottomRight = sx * sy;
                var gx = topLeft * pair[0] + topRight * pair[2] + bottomLeft * below[0] + bottomRight * below[2];
                var gy = topLeft * pair[1] + topRight * pair[3] + bottomLeft * below[1] + bottomRight * below[3];
                var tx = Values[2 * (y * Size.Width + x)];
                var ty = Values[2 * (y * Size.Width + x) + 1];
                // Gradients rotate with the image, so they are rotated back by the angle.
                product += tx * (fieldCos * gx + fieldSin * gy) + ty * (fieldCos * gy - fieldSin * gx);
                own += tx * tx + ty * ty;
                // The norm is that of the nearest pixel: interpolation averages noise away between pixels, and its norm
                // would favour movements by half a pixel.
                var nearest = sy < 0.5f ? pair : below;
                var (nx, ny) = sx < 0.5f ? (nearest[0], nearest[1]) : (nearest[2], nearest[3]);
                other += nx * nx + ny * ny;
            }
        }
        return own > 0 && other > 0 ? product / Math.Sqrt(own * other) : 0;
    }
}
