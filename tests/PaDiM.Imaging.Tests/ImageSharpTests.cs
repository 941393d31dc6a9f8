using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Imaging.Preprocessing;
using PaDiM.Imaging.Tests.Support;
using PaDiM.TestSupport;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using SharpImage = SixLabors.ImageSharp.Image;

namespace PaDiM.Imaging.Tests;

/// <summary>
/// Compares decoders, resampler and encoders with ImageSharp, which shares no code with them. It must never read what
/// clients send: <c>docs/decisions/0001-images.md</c> says why.
/// </summary>
public sealed class ImageSharpTests
{
    [Theory]
    [InlineData("rgb.png")]
    [InlineData("grey.png")]
    [InlineData("one-bit.png")]
    [InlineData("palette-4.png")]
    [InlineData("palette-16.png")]
    [InlineData("palette-256.png")]
    [InlineData("interlaced.png")]
    [InlineData("sixteen-bits.png")]
    [InlineData("rgb.bmp")]
    [InlineData("palette.bmp")]
    [InlineData("one-bit.bmp")]
    [InlineData("run-lengths.bmp")]
    [InlineData("raw.tif")]
    [InlineData("tiff_lzw.tif")]
    [InlineData("tiff_adobe_deflate.tif")]
    [InlineData("packbits.tif")]
    [InlineData("grey.tif")]
    [InlineData("sixteen-bits.tif")]
    [InlineData("big-endian-16.tif")]
    [InlineData("twelve-bits.tif")]
    [InlineData("portable.pgm")]
    [InlineData("portable-text.ppm")]
    [InlineData("portable.pbm")]
    public void Lossless_files_decode_to_the_same_pixels(string name) => Compare(ImageFixtures.Read(name), 0);

    [Theory]
    [InlineData("444.jpg")]
    [InlineData("grey.jpg")]
    [InlineData("restarts.jpg")]
    public void Jpegs_decode_to_almost_the_same_pixels(string name) => Compare(ImageFixtures.Read(name), 3);

    /// <summary>
    /// The two interpolate subsampled colours differently, which shows at hard edges: the picture has none.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Jpegs_with_subsampled_colours_decode_to_almost_the_same_pixels(bool progressive)
    {
        using var image = Smooth.Vips();
        Compare(
            image.JpegsaveBuffer(q: 92, interlace: progressive, subsampleMode: NetVips.Enums.ForeignSubsample.On),
            3
        );
    }

    /// <summary>Colours of palettes have 16 bits, of which one rounds and the other takes the higher half.</summary>
    [Fact]
    public void Palettes_of_a_tiff_decode_to_almost_the_same_pixels() => Compare(ImageFixtures.Read("palette.tif"), 1);

    [Theory]
    [InlineData(8)]
    [InlineData(24)]
    [InlineData(32)]
    public void Bitmaps_in_any_order_of_rows_decode_to_the_same_pixels(int bits)
    {
        foreach (var topDown in new[] { false, true })
            Compare(
                new ReferenceBmp
                {
                    Width = 13,
                    Height = 7,
                    Bits = bits,
                    TopDown = topDown,
                }
                    .Make(bits)
                    .File,
                0
            );
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(97, 33)]
    [InlineData(300, 200)]
    public void The_resampler_gives_the_same_numbers(int width, int height)
    {
        var image = Samples.Noise(201, 143);
        var actual = new float[3 * width * height];
        AntialiasedResampler.Resize(image, width, height, actual);
        using var oracle = SharpImage
            .LoadPixelData<Rgb24>(image.Pixels, image.Width, image.Height)
            .CloneAs<RgbaVector>();
        oracle.Mutate(context => context.Resize(width, height, KnownResamplers.Triangle));
        var largest = 0f;
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var pixel = oracle[x, y];
            var at = 3 * (y * width + x);
            largest = Math.Max(largest, Math.Abs(255 * pixel.R - actual[at]));
            largest = Math.Max(largest, Math.Abs(255 * pixel.G - actual[at + 1]));
            largest = Math.Max(largest, Math.Abs(255 * pixel.B - actual[at + 2]));
        }
        Assert.InRange(largest, 0, 0.005f);
    }

    [Fact]
    public void Encoded_pictures_are_read_back()
    {
        var image = Samples.Rgb(61, 43);
        Assert.Equal(image.Pixels, Decode(ImageEncoder.EncodePng(image)).Pixels);
        var thumbnail = ImageEncoder.EncodeThumbnail(Smooth, 256);
        Assert.InRange(TestDecoder.Difference(Decode(thumbnail), TestDecoder.Image(thumbnail)), 0, 3);
    }

    [Fact]
    public void No_project_of_the_product_refers_to_it() =>
        Assert.DoesNotContain(
            Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*", SearchOption.AllDirectories),
            file =>
                (
                    file.EndsWith(".csproj", StringComparison.Ordinal)
                    || file.EndsWith("packages.lock.json", StringComparison.Ordinal)
                ) && File.ReadAllText(file).Contains("SixLabors", StringComparison.OrdinalIgnoreCase)
        );

    private static RgbImage Smooth { get; } =
        new(
            120,
            90,
            [
                .. from y in Enumerable.Range(0, 90)
                from x in Enumerable.Range(0, 120)
                from sample in new[] { 60 + x, 200 - y, 80 + (x + y) / 4 }
                select (byte)sample,
            ]
        );

    private static void Compare(byte[] bytes, int tolerance) =>
        Assert.InRange(TestDecoder.Difference(Decode(bytes), TestDecoder.Image(bytes)), 0, tolerance);

    private static RgbImage Decode(byte[] bytes)
    {
        using var image = SharpImage.Load<Rgb24>(bytes);
        var pixels = new byte[3 * image.Width * image.Height];
        image.CopyPixelDataTo(pixels);
        return new RgbImage(image.Width, image.Height, pixels);
    }
}
