namespace PaDiM.Core.Alignment;

/// <summary>
/// Where the edges of a plane are and which way they face: <c>g / (|g| + m)</c> with the gradient g and its mean magnitude m. The direction
/// decides and the strength saturates, so neither the light nor one strong edge (a scratch, the black corner of a turned image) outweighs the
/// outline of the part; after orientation correlation (Fitch, Kadyrov, Christmas, Kittler, "Orientation correlation", BMVC 2002).
/// </summary>
/// <param name="side">Pixels.</param>
/// <param name="values">Shape <c>(side, side, 2)</c>: along x, along y; magnitude below 1.</param>
internal sealed class GradientField(int side, float[] values)
{
    /// <summary>Less than this, in grey values a pixel, is rounding, not an edge.</summary>
    private const double Flat = 1e-2;

    public int Side { get; } = side;

    public float[] Values { get; } = values;

    /// <summary>The field of a plane by central differences; 0 on its border and everywhere on a plane without edges.</summary>
    /// <param name="plane">Shape <c>(side, side)</c>, grey values.</param>
    /// <param name="side">Pixels.</param>
    public static GradientField Of(ReadOnlySpan<float> plane, int side)
    {
        var values = new float[2 * side * side];
        var sum = 0.0;
        for (var y = 1; y < side - 1; y++)
            for (var x = 1; x < side - 1; x++)
            {
                var at = y * side + x;
                var (gx, gy) = ((plane[at + 1] - plane[at - 1]) / 2, (plane[at + side] - plane[at - side]) / 2);
                (values[2 * at], values[2 * at + 1]) = (gx, gy);
                sum += MathF.Sqrt(gx * gx + gy * gy);
            }
        var mean = (float)(sum / (side * side));
        if (mean < Flat)
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
    /// Normalised correlation of this template's field with an image's, brought into the frame of the template: over the pixels that both have,
    /// from -1 to 1; 0 where either has no edges. Cost: one pass.
    /// </summary>
    public double Correlation(GradientField image, RigidTransform transform)
    {
        var (sin, cos) = Math.SinCos(transform.Angle);
        var (fieldSin, fieldCos) = ((float)sin, (float)cos);
        double product = 0, own = 0, other = 0;
        var last = Side - 1;
        for (var y = 0; y < Side; y++)
        {
            var (startX, startY) = transform.Map(0, y, Side);
            for (var x = 0; x < Side; x++)
            {
                var (px, py) = (startX + cos * x, startY + sin * x);
                if (!(px >= 0 && py >= 0 && px < last && py < last)) continue;
                var (ix, iy) = ((int)px, (int)py);
                var (sx, sy) = ((float)(px - ix), (float)(py - iy));
                var pair = image.Values.AsSpan(2 * (iy * Side + ix), 4);
                var below = image.Values.AsSpan(2 * ((iy + 1) * Side + ix), 4);
                var (a, b, c, d) = ((1 - sx) * (1 - sy), sx * (1 - sy), (1 - sx) * sy, sx * sy);
                var gx = a * pair[0] + b * pair[2] + c * below[0] + d * below[2];
                var gy = a * pair[1] + b * pair[3] + c * below[1] + d * below[3];
                var (tx, ty) = (Values[2 * (y * Side + x)], Values[2 * (y * Side + x) + 1]);
                // A gradient turns with the image: back by the angle.
                product += tx * (fieldCos * gx + fieldSin * gy) + ty * (fieldCos * gy - fieldSin * gx);
                own += tx * tx + ty * ty;
                other += gx * gx + gy * gy;
            }
        }
        return own > 0 && other > 0 ? product / Math.Sqrt(own * other) : 0;
    }
}
