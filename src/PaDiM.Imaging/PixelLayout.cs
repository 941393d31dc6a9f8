using System.Buffers.Binary;

namespace PaDiM.Imaging;

/// <summary>Describes raw pixels: rows from the top, pixels from the left, without padding.</summary>
/// <param name="Width">Pixels across, at least 1.</param>
/// <param name="Height">Pixels down, at least 1.</param>
/// <param name="Format">Samples of one pixel.</param>
public sealed record PixelLayout(int Width, int Height, PixelFormat Format)
{
    /// <summary>Gets the bytes of one pixel.</summary>
    public int BytesPerPixel =>
        Format switch
        {
            PixelFormat.Gray8 => 1,
            PixelFormat.Gray16 => 2,
            _ => 3,
        };

    /// <summary>Gets the bytes of the whole image.</summary>
    public long Length => (long)Width * Height * BytesPerPixel;

    /// <summary>Creates the image: the same as from a lossless file of these pixels.</summary>
    /// <param name="bytes"><see cref="Length"/> bytes. With <see cref="PixelFormat.Rgb24"/> the image keeps this
    /// array; with the other formats the array is only read.</param>
    /// <exception cref="ArgumentException">The number of bytes is wrong.</exception>
    public RgbImage ToImage(byte[] bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException(
                $"{Width} x {Height} pixels of {Format} are {Length} bytes, not {bytes.Length}.",
                nameof(bytes)
            );
        if (Format == PixelFormat.Rgb24)
            return new RgbImage(Width, Height, bytes);
        var pixels = GC.AllocateUninitializedArray<byte>(checked(3 * Width * Height));
        switch (Format)
        {
            case PixelFormat.Bgr24:
                Reverse(bytes, pixels);
                break;
            case PixelFormat.Gray8:
                for (int i = 0, to = 0; i < bytes.Length; i++, to += 3)
                    pixels[to] = pixels[to + 1] = pixels[to + 2] = bytes[i];
                break;
            case PixelFormat.Gray16:
                for (int i = 0, to = 0; i < bytes.Length; i += 2, to += 3)
                    pixels[to] =
                        pixels[to + 1] =
                        pixels[to + 2] =
                            SampleDepth.ToEightBits(BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(i)));
                break;
        }
        return new RgbImage(Width, Height, pixels);
    }

    /// <summary>Converts blue-first pixels to red-first ones.</summary>
    internal static void Reverse(ReadOnlySpan<byte> bgr, Span<byte> rgb)
    {
        for (var i = 0; i < rgb.Length; i += 3)
        {
            rgb[i] = bgr[i + 2];
            rgb[i + 1] = bgr[i + 1];
            rgb[i + 2] = bgr[i];
        }
    }
}
