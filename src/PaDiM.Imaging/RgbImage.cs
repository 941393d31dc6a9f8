namespace PaDiM.Imaging;

/// <summary>Represents a decoded image: upright, sRGB, 8 bits per channel.</summary>
/// <param name="width">Pixels across.</param>
/// <param name="height">Pixels down.</param>
/// <param name="pixels">Shape <c>(height, width, 3)</c>, red first.</param>
public sealed class RgbImage(int width, int height, byte[] pixels)
{
    /// <summary>Gets the pixels across.</summary>
    public int Width { get; } = width;

    /// <summary>Gets the pixels down.</summary>
    public int Height { get; } = height;

    /// <summary>Gets the samples, shape <c>(Height, Width, 3)</c>, row-major, red first.</summary>
    public byte[] Pixels { get; } =
        pixels.Length == checked(width * height * 3)
            ? pixels
            : throw new ArgumentException(
                $"An RGB image of {width} x {height} has {width * height * 3} bytes, not {pixels.Length}.",
                nameof(pixels)
            );
}
