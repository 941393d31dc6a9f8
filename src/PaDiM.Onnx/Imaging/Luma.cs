namespace PaDiM.Onnx.Imaging;

/// <summary>Grey values as the eye weighs colours (ITU-R BT.601), 0 to 255.</summary>
internal static class Luma
{
    private const float Red = 0.299f, Green = 0.587f, Blue = 0.114f;

    /// <summary>Of interleaved pixels, shape <c>(n, 3)</c> to <c>(n)</c>.</summary>
    public static float[] Of(ReadOnlySpan<float> rgb)
    {
        var luma = new float[rgb.Length / 3];
        for (var i = 0; i < luma.Length; i++) luma[i] = Red * rgb[3 * i] + Green * rgb[3 * i + 1] + Blue * rgb[3 * i + 2];
        return luma;
    }

    /// <summary>Of an image, row-major.</summary>
    public static float[] Of(RgbImage image) => Of(Array.ConvertAll(image.Pixels, value => (float)value));
}
