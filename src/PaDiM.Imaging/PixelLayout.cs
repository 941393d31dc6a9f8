using System.Buffers.Binary;

namespace PaDiM.Imaging;

/// <summary>Describes raw pixels: rows from the top, pixels from the left, without padding.</summary>
/// <param name="Width">Pixels across, at least 1.</param>
/// <param name="Height">Pixels down, at least 1.</param>
/// <param name="Format">Samples of one pixel.</param>
public sealed record PixelLayout(int Width, int Height, PixelFormat Format)
{
    /// <summary>Gets the bits that one pixel takes.</summary>
    public int BitsPerPixel =>
        Format switch
        {
            PixelFormat.Rgb24 or PixelFormat.Bgr24 => 24,
            PixelFormat.Gray16 or PixelFormat.Gray10 or PixelFormat.Gray12 => 16,
            PixelFormat.Gray12p => 12,
            PixelFormat.Gray10p => 10,
            _ => 8,
        };

    /// <summary>
    /// Gets the bits of a sample that count as the format's name says; null for a format that is for any depth.
    /// </summary>
    public int? SignificantBits =>
        Format switch
        {
            PixelFormat.Gray16 => null,
            PixelFormat.Gray10 or PixelFormat.Gray10p => 10,
            PixelFormat.Gray12 or PixelFormat.Gray12p => 12,
            _ => 8,
        };

    /// <summary>Gets whether every pixel has one colour only, that of the filter in front of it.</summary>
    public bool IsMosaic =>
        Format is PixelFormat.BayerRg8 or PixelFormat.BayerGr8 or PixelFormat.BayerGb8 or PixelFormat.BayerBg8;

    /// <summary>
    /// Gets the bytes of the whole image. Packed pixels follow each other across the ends of rows, and only the last
    /// byte is filled up.
    /// </summary>
    public long Length => ((long)Width * Height * BitsPerPixel + 7) / 8;

    /// <summary>Creates the image: the same as from a lossless file of these pixels.</summary>
    /// <param name="bytes"><see cref="Length"/> bytes. With <see cref="PixelFormat.Rgb24"/> the image keeps this
    /// array; with the other formats the array is only read.</param>
    /// <exception cref="ArgumentException">The number of bytes is wrong.</exception>
    public RgbImage ToImage(byte[] bytes) => ToImage(bytes, CreateScale());

    /// <summary>Creates the image.</summary>
    /// <param name="bytes">As above.</param>
    /// <param name="scale">How samples of more than 8 bits become 8 bits.</param>
    /// <exception cref="ArgumentException">The number of bytes is wrong.</exception>
    /// <exception cref="SampleRangeException">A sample is larger than the scale allows.</exception>
    internal RgbImage ToImage(byte[] bytes, SampleScale scale)
    {
        if (bytes.Length != Length)
            throw new ArgumentException(
                $"{Width} x {Height} pixels of {Format} are {Length} bytes, not {bytes.Length}.",
                nameof(bytes)
            );
        if (Format == PixelFormat.Rgb24)
            return new RgbImage(Width, Height, bytes);
        if (IsMosaic)
            return new RgbImage(Width, Height, BayerMosaic.ToRgb(bytes, Width, Height, Format));
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
            case PixelFormat.Gray10p or PixelFormat.Gray12p:
                Unpack(bytes, pixels, scale);
                break;
            default:
                uint largest = 0;
                for (int i = 0, to = 0; i < bytes.Length; i += 2, to += 3)
                {
                    uint sample = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(i));
                    largest = Math.Max(largest, sample);
                    pixels[to] = pixels[to + 1] = pixels[to + 2] = scale.ToEightBits(sample);
                }
                scale.Check(largest);
                break;
        }
        return new RgbImage(Width, Height, pixels);
    }

    /// <summary>Creates the scale for this format.</summary>
    /// <param name="declaredBits">The bits that count, if the format does not say so.</param>
    internal SampleScale CreateScale(int? declaredBits = null) =>
        SampleScale.Create(ushort.MaxValue, SignificantBits ?? declaredBits);

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

    /// <summary>Converts packed samples: the first one has the lowest bits of the first byte.</summary>
    private void Unpack(ReadOnlySpan<byte> packed, Span<byte> pixels, SampleScale scale)
    {
        var bits = BitsPerPixel;
        var mask = (1u << bits) - 1;
        uint held = 0;
        var count = 0;
        for (int to = 0, at = 0; to < pixels.Length; to += 3)
        {
            // A sample of 10 or 12 bits lies in two bytes.
            for (; count < bits; count += 8)
                held |= (uint)packed[at++] << count;
            pixels.Slice(to, 3).Fill(scale.ToEightBits(held & mask));
            held >>= bits;
            count -= bits;
        }
    }
}
