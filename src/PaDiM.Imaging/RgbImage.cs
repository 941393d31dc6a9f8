namespace PaDiM.Imaging;

/// <summary>A decoded image: upright, sRGB, 8 bits a channel.</summary>
/// <param name="width">Pixels.</param>
/// <param name="height">Pixels.</param>
/// <param name="pixels">Shape <c>(height, width, 3)</c>, red first.</param>
public sealed class RgbImage(int width, int height, byte[] pixels)
{
    /// <summary>Pixels across.</summary>
    public int Width { get; } = width;

    /// <summary>Pixels down.</summary>
    public int Height { get; } = height;

    /// <summary>Shape <c>(Height, Width, 3)</c>, row-major, red first.</summary>
    public byte[] Pixels { get; } =
        pixels.Length == checked(width * height * 3)
            ? pixels
            : throw new ArgumentException(
                $"An RGB image of {width} x {height} has {width * height * 3} bytes, not {pixels.Length}.",
                nameof(pixels)
            );
}
