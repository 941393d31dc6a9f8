using NetVips;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Imaging.Tests.Decoding;

public sealed class OrientationTests
{
    // Taller than libvips' buffers of rows: a rotation reads them out of order.
    private const int Width = 40,
        Height = 700;

    public static TheoryData<ImageFormat, int> All =>
        new MatrixTheoryData<ImageFormat, int>(
            [ImageFormat.Jpeg, ImageFormat.Tiff, ImageFormat.Png, ImageFormat.WebP],
            Enumerable.Range(1, 8)
        );

    [Theory]
    [MemberData(nameof(All))]
    public void An_image_stands_upright_whatever_its_orientation_tag(ImageFormat format, int orientation)
    {
        var stored = Samples.Rgb(Width, Height);
        using var image = stored.Vips();
        using var tagged = image.Mutate(mutable => mutable.Set(GValue.GIntType, "orientation", orientation));
        var upright = TestDecoder.Image(Samples.Encode(tagged, format));
        Assert.InRange(
            TestDecoder.Difference(Turn(stored, orientation), upright),
            0,
            format == ImageFormat.Jpeg ? 8 : 0
        );
    }

    /// <summary>EXIF's table: where row 0 and column 0 of the stored image lie in the upright one.</summary>
    private static RgbImage Turn(RgbImage stored, int orientation)
    {
        var w = stored.Width;
        var h = stored.Height;
        var swapped = orientation > 4;
        var (width, height) = swapped ? (h, w) : (w, h);
        var pixels = new byte[stored.Pixels.Length];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var (fromX, fromY) = orientation switch
            {
                1 => (x, y),
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                _ => (w - 1 - y, x),
            };
            stored.Pixels.AsSpan(3 * (fromY * w + fromX), 3).CopyTo(pixels.AsSpan(3 * (y * width + x)));
        }
        return new RgbImage(width, height, pixels);
    }
}
