using PaDiM.Engine.TestSupport;

namespace PaDiM.Imaging.Tests;

public sealed class BayerMosaicTests
{
    /// <summary>The filters of the paper, in eighths: for each case the 5 x 5 weights.</summary>
    private static readonly double[,] Green =
        {
            { 0, 0, -1, 0, 0 },
            { 0, 0, 2, 0, 0 },
            { -1, 2, 4, 2, -1 },
            { 0, 0, 2, 0, 0 },
            { 0, 0, -1, 0, 0 },
        },
        AlongRow =
        {
            { 0, 0, 0.5, 0, 0 },
            { 0, -1, 0, -1, 0 },
            { -1, 4, 5, 4, -1 },
            { 0, -1, 0, -1, 0 },
            { 0, 0, 0.5, 0, 0 },
        },
        Corners =
        {
            { 0, 0, -1.5, 0, 0 },
            { 0, 2, 0, 2, 0 },
            { -1.5, 0, 6, 0, -1.5 },
            { 0, 2, 0, 2, 0 },
            { 0, 0, -1.5, 0, 0 },
        };

    public static TheoryData<PixelFormat, string> Formats =>
        new()
        {
            { PixelFormat.BayerRg8, "RGGB" },
            { PixelFormat.BayerGr8, "GRBG" },
            { PixelFormat.BayerGb8, "GBRG" },
            { PixelFormat.BayerBg8, "BGGR" },
        };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_pixel_is_what_the_filters_of_the_paper_give(PixelFormat format, string order)
    {
        foreach (var (width, height) in new[] { (2, 2), (3, 2), (2, 3), (5, 7), (12, 9), (9, 12) })
        {
            byte[] mosaic = [.. Samples.Noise(width, height).Pixels.Take(width * height)];
            Assert.Equal(
                Reference(mosaic, width, height, order),
                new PixelLayout(width, height, format).ToImage(mosaic).Pixels
            );
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_smooth_picture_comes_back(PixelFormat format, string order)
    {
        const int width = 61,
            height = 43;
        var picture = Samples.Rgb(width, height);
        byte[] mosaic =
        [
            .. from y in Enumerable.Range(0, height)
            from x in Enumerable.Range(0, width)
            select picture.Pixels[
                3 * (y * width + x) + "RGB".IndexOf(order[y % 2 * 2 + x % 2], StringComparison.Ordinal)
            ],
        ];
        var image = new PixelLayout(width, height, format).ToImage(mosaic);
        for (var y = 2; y < height - 2; y++)
        for (var x = 2; x < width - 2; x++)
        for (var c = 0; c < 3; c++)
        {
            var at = 3 * (y * width + x) + c;
            Assert.InRange(image.Pixels[at] - picture.Pixels[at], -3, 3);
        }
    }

    [Fact]
    public void One_colour_everywhere_stays_so_up_to_the_border()
    {
        byte[] mosaic =
        [
            .. Enumerable
                .Range(0, 7 * 5)
                .Select(i =>
                    (byte)(
                        (i / 7 % 2, i % 7 % 2) switch
                        {
                            (0, 0) => 200,
                            (1, 1) => 30,
                            _ => 90,
                        }
                    )
                ),
        ];
        var image = new PixelLayout(7, 5, PixelFormat.BayerRg8).ToImage(mosaic);
        Assert.All(image.Pixels.Chunk(3), pixel => Assert.Equal([200, 90, 30], pixel));
    }

    private static byte[] Reference(byte[] mosaic, int width, int height, string order)
    {
        var rgb = new byte[3 * width * height];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        for (var c = 0; c < 3; c++)
        {
            var site = ColourAt(x, y);
            var wanted = "RGB"[c];
            var value =
                site == wanted ? mosaic[y * width + x]
                : wanted == 'G' ? Apply(Green, x, y, transpose: false)
                : site != 'G' ? Apply(Corners, x, y, transpose: false)
                : Apply(AlongRow, x, y, transpose: ColourAt(x + 1, y) != wanted);
            rgb[3 * (y * width + x) + c] = (byte)Math.Clamp(Math.Floor(value + 0.5), 0, 255);
        }
        return rgb;

        char ColourAt(int x, int y) => order[y % 2 * 2 + x % 2];

        double Apply(double[,] weights, int x, int y, bool transpose)
        {
            double sum = 0;
            for (var dy = -2; dy <= 2; dy++)
            for (var dx = -2; dx <= 2; dx++)
                sum +=
                    (transpose ? weights[dx + 2, dy + 2] : weights[dy + 2, dx + 2])
                    * mosaic[Mirror(y + dy, height) * width + Mirror(x + dx, width)];
            return sum / 8;
        }

        static int Mirror(int index, int count)
        {
            while (index < 0 || index >= count)
                index = index < 0 ? -index : 2 * (count - 1) - index;
            return index;
        }
    }
}
