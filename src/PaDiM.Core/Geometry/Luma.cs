namespace PaDiM.Core.Geometry;

/// <summary>
/// Converts colours to grey values by perceived brightness (ITU-R BT.601), in the unit of the colours.
/// </summary>
public static class Luma
{
    private const float Red = 0.299f,
        Green = 0.587f,
        Blue = 0.114f;

    /// <summary>Converts interleaved pixels.</summary>
    /// <param name="rgb">Red, green and blue of each pixel, shape <c>(n, 3)</c>.</param>
    /// <param name="luma">Receives the grey values, length n.</param>
    public static void FromRgb(ReadOnlySpan<float> rgb, Span<float> luma)
    {
        for (var i = 0; i < luma.Length; i++)
            luma[i] = Red * rgb[3 * i] + Green * rgb[3 * i + 1] + Blue * rgb[3 * i + 2];
    }
}
