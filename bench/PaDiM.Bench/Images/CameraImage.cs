using NetVips;
using PaDiM.Imaging;

namespace PaDiM.Bench.Images;

/// <summary>
/// Images as cameras take them: a part with edges and texture, uneven light, and the noise of a sensor. Noise decides
/// how long entropy coding takes; without it every codec would look fast.
/// </summary>
internal static class CameraImage
{
    private const int BmpHeader = 54;
    private const double NoiseDeviation = 5;

    /// <summary>Creates an image.</summary>
    public static RgbImage Create(int width, int height)
    {
        var random = new Random(width);
        var noise = Enumerable.Range(0, 1 << 16).Select(_ => DrawNoise(random)).ToArray();
        var pixels = new byte[3 * width * height];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var (u, v) = (2.0 * x / width - 1, 2.0 * y / height - 1);
            var radius = Math.Sqrt(u * u + v * v);
            var part = radius < 0.8 && (radius > 0.25 || (x / 97 + y / 61) % 2 == 0) ? 150 : 60;
            var light = part + 30 * u - 12 * v + 6 * Math.Sin(x * 0.21 + 9 * v) * Math.Sin(y * 0.17);
            for (var c = 0; c < 3; c++)
                pixels[3 * (y * width + x) + c] = (byte)
                    Math.Clamp(light - 9 * c + noise[random.Next(noise.Length)], 0, 255);
        }
        return new RgbImage(width, height, pixels);
    }

    /// <summary>Encodes an image as <c>jpeg</c>, <c>progressive</c> (JPEG), <c>png</c>, <c>tiff</c> or <c>bmp</c>.</summary>
    public static byte[] Encode(RgbImage image, string format)
    {
        if (format == "bmp")
            return EncodeBmp(image);
        using var pixels = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var colour = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
        return format switch
        {
            "jpeg" => colour.JpegsaveBuffer(q: 90),
            "progressive" => colour.JpegsaveBuffer(q: 90, interlace: true),
            "png" => colour.PngsaveBuffer(),
            "tiff" => colour.TiffsaveBuffer(),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    private static byte[] EncodeBmp(RgbImage image)
    {
        var stride = (3 * image.Width + 3) / 4 * 4;
        var file = new byte[BmpHeader + stride * image.Height];
        using var writer = new BinaryWriter(new MemoryStream(file));
        writer.Write("BM"u8);
        writer.Write(file.Length);
        writer.Write(0);
        writer.Write(BmpHeader);
        writer.Write(40);
        writer.Write(image.Width);
        writer.Write(image.Height);
        writer.Write((short)1);
        writer.Write((short)24);
        for (var y = 0; y < image.Height; y++)
        for (var x = 0; x < image.Width; x++)
        {
            var from = 3 * (y * image.Width + x);
            var to = BmpHeader + (image.Height - 1 - y) * stride + 3 * x;
            for (var c = 0; c < 3; c++)
                file[to + c] = image.Pixels[from + 2 - c];
        }
        return file;
    }

    /// <summary>The sum of uniform numbers is close enough to a normal one.</summary>
    private static double DrawNoise(Random random)
    {
        const int terms = 12;
        return NoiseDeviation * (Enumerable.Range(0, terms).Sum(_ => random.NextDouble()) - terms / 2.0);
    }
}
