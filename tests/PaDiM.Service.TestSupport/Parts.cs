using System.Collections.Concurrent;
using NetVips;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Service.TestSupport;

/// <summary>Encoded images of synthetic parts, 96 x 96 pixels.</summary>
internal static class Parts
{
    public const int Side = 96;
    private static readonly ConcurrentDictionary<int, byte[]> Bitmaps = new();

    /// <summary>A good part, as BMP.</summary>
    public static byte[] Good(int seed) => Bitmaps.GetOrAdd(seed, key => SyntheticParts.Good(key, Side).ToBmp());

    /// <summary>A good part with a bright square of 24 pixels at (40, 12), as BMP.</summary>
    public static byte[] Bad(int seed)
    {
        var part = SyntheticParts.Good(seed, Side);
        for (var y = 12; y < 36; y++)
        for (var x = 40; x < 64; x++)
        {
            part.Pixels[3 * (y * Side + x)] = 255;
            part.Pixels[3 * (y * Side + x) + 1] = 0;
            part.Pixels[3 * (y * Side + x) + 2] = 255;
        }
        return part.ToBmp();
    }

    /// <summary>
    /// A good part with a dark notch that shows how it lies, and a small bright defect if wanted, as PNG.
    /// </summary>
    public static byte[] Notched(int seed, bool defective)
    {
        var part = SyntheticParts.Good(seed, Side);
        Paint(part, 12, 40, 20, 12, 20);
        Paint(part, 60, 62, 8, 8, 20);
        if (defective)
            Paint(part, 62, 30, 7, 7, 235);
        using var image = Wrap(part);
        return image.PngsaveBuffer();
    }

    /// <summary>A part of any size, as JPEG: blurred noise, which takes a quarter of a byte per pixel.</summary>
    public static byte[] LargeJpeg(int width, int height)
    {
        using var noise = Image.Gaussnoise(width / 4, height / 4, sigma: 40, mean: 128, seed: 1);
        using var grey = noise.Resize(4).Cast(Enums.BandFormat.Uchar);
        using var colour = grey.Bandjoin(grey, grey).Copy(interpretation: Enums.Interpretation.Srgb);
        return colour.JpegsaveBuffer(q: 90);
    }

    private static void Paint(RgbImage part, int left, int top, int width, int height, byte grey)
    {
        for (var y = top; y < top + height; y++)
            part.Pixels.AsSpan(3 * (y * Side + left), 3 * width).Fill(grey);
    }

    /// <summary>Where the square of <see cref="Bad"/> is, as BMP.</summary>
    public static byte[] BadMask() => Square(40, 12, 24);

    /// <summary>A white square on black, as BMP.</summary>
    public static byte[] Square(int left, int top, int side)
    {
        var pixels = new byte[3 * Side * Side];
        for (var y = top; y < top + side; y++)
            pixels.AsSpan(3 * (y * Side + left), 3 * side).Fill(255);
        return new RgbImage(Side, Side, pixels).ToBmp();
    }

    /// <summary>A good part in another encoding.</summary>
    public static byte[] Encoded(int seed, string format)
    {
        if (format == "bmp")
            return Good(seed);
        var part = SyntheticParts.Good(seed, Side);
        if (format == "pnm")
            return [.. System.Text.Encoding.ASCII.GetBytes($"P6\n{part.Width} {part.Height}\n255\n"), .. part.Pixels];
        using var image = Wrap(part);
        return format switch
        {
            "png" => image.PngsaveBuffer(),
            "jpeg" => image.JpegsaveBuffer(q: 95),
            "tiff" => image.TiffsaveBuffer(),
            "webp" => image.WebpsaveBuffer(lossless: true),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    /// <summary>Two frames as one WebP.</summary>
    public static byte[] Animated()
    {
        using var first = Wrap(SyntheticParts.Good(1, Side));
        using var second = Wrap(SyntheticParts.Good(2, Side));
        using var frames = Image.Arrayjoin([first, second], across: 1);
        using var animation = frames.Mutate(image => image.Set(GValue.GIntType, "page-height", Side));
        return animation.WebpsaveBuffer();
    }

    /// <summary>A plain grey BMP of any size.</summary>
    public static byte[] Plain(int width, int height, byte grey = 128)
    {
        var pixels = new byte[3 * width * height];
        Array.Fill(pixels, grey);
        return new RgbImage(width, height, pixels).ToBmp();
    }

    private static Image Wrap(RgbImage image)
    {
        using var raw = Image.NewFromMemoryCopy(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        return raw.Copy(interpretation: Enums.Interpretation.Srgb);
    }
}
