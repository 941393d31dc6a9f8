namespace PaDiM.Core.Geometry;

/// <summary>Grey values as the eye weighs colours (ITU-R BT.601), in the unit of the colours.</summary>
public static class Luma
{
    private const float Red = 0.299f,
        Green = 0.587f,
        Blue = 0.114f;

    /// <summary>Of interleaved pixels, shape <c>(n, 3)</c> to <c>(n)</c>.</summary>
    /// <param name="rgb">Red, green, blue of each pixel.</param>
    /// <param name="luma">Takes the grey values.</param>
    public static void FromRgb(ReadOnlySpan<float> rgb, Span<float> luma)
    {
        for (var i = 0; i < luma.Length; i++)
            luma[i] = Red * rgb[3 * i] + Green * rgb[3 * i + 1] + Blue * rgb[3 * i + 2];
    }
}
