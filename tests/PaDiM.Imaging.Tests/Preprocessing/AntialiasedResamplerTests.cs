using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Imaging.Tests.Preprocessing;

public sealed class AntialiasedResamplerTests
{
    [Theory]
    [InlineData(64, 64, 64, 64)]
    [InlineData(100, 75, 32, 32)]
    [InlineData(33, 41, 64, 50)]
    [InlineData(500, 7, 32, 32)]
    [InlineData(31, 1, 8, 16)]
    [InlineData(1, 1, 9, 5)]
    [InlineData(2, 3, 1, 1)]
    public void It_equals_a_slow_bilinear_filter_with_widened_support(int width, int height, int toWidth, int toHeight)
    {
        var image = Samples.Noise(width, height, width * 1000 + height);
        var actual = Resized(image, toWidth, toHeight);
        for (var y = 0; y < toHeight; y++)
        for (var x = 0; x < toWidth; x++)
        for (var c = 0; c < 3; c++)
            Assert.InRange(
                actual[3 * (y * toWidth + x) + c] - Reference(image, x, y, c, toWidth, toHeight),
                -1e-3,
                1e-3
            );
    }

    /// <summary>
    /// In exact fractions (Python), for a row and a length to: <c>s = F(len(row), to); w = [[max(F(0), 1 - abs(k + F(1,
    /// 2) - (i + F(1, 2)) * s) / max(s, 1)) for k in range(len(row))] for i in range(to)]; [sum(a * b for a, b in
    /// zip(v, row)) / sum(v) for v in w]</c>.
    /// </summary>
    [Theory]
    [InlineData(new byte[] { 0, 70, 140, 210 }, new float[] { 50, 160 })]
    [InlineData(new byte[] { 0, 100 }, new float[] { 0, 25, 75, 100 })]
    [InlineData(new byte[] { 10, 20, 30 }, new float[] { 20 })]
    [InlineData(new byte[] { 0, 0, 255, 0, 0, 0 }, new float[] { 36.428571f, 95.625f, 0 })]
    [InlineData(new byte[] { 0, 0, 255, 0, 0, 0 }, new float[] { 0, 141.666667f, 28.333333f, 0 })]
    [InlineData(new byte[] { 200 }, new float[] { 200, 200, 200 })]
    public void Known_rows_give_known_rows(byte[] row, float[] expected)
    {
        var image = new RgbImage(row.Length, 1, [.. row.SelectMany(v => new[] { v, v, v })]);
        var actual = Resized(image, expected.Length, 1);
        Assert.Equal(expected, actual.Where((_, i) => i % 3 == 0), (e, a) => Math.Abs(e - a) < 1e-3);
    }

    [Theory]
    [InlineData(17, 300)]
    [InlineData(300, 17)]
    [InlineData(1, 1)]
    public void A_constant_stays_constant(int width, int height)
    {
        var image = new RgbImage(width, height, [.. Enumerable.Repeat((byte)173, 3 * width * height)]);
        Assert.All(Resized(image, 64, 48), v => Assert.InRange(v, 172.999, 173.001));
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(7, 1)]
    [InlineData(1000, 256)]
    [InlineData(257, 256)]
    public void Shares_sum_to_one_and_stay_inside(int from, int to)
    {
        var axis = new AntialiasedResampler.Axis(from, to);
        for (var i = 0; i < to; i++)
        {
            var shares = axis.SharesOf(i).ToArray();
            Assert.InRange(axis.First[i], 0, from - shares.Length);
            Assert.InRange(shares.Sum(share => (double)share), 1 - 1e-6, 1 + 1e-6);
        }
    }

    private static double Reference(RgbImage image, int x, int y, int channel, int toWidth, int toHeight)
    {
        var sum = 0.0;
        var total = 0.0;
        for (var j = 0; j < image.Height; j++)
        for (var i = 0; i < image.Width; i++)
        {
            var weight = Triangle(i, x, image.Width, toWidth) * Triangle(j, y, image.Height, toHeight);
            total += weight;
            sum += weight * image.Pixels[3 * (j * image.Width + i) + channel];
        }
        return sum / total;
    }

    /// <summary>The distance of the pixels' centres in units of the wider of the two pixels.</summary>
    private static double Triangle(int source, int target, int from, int to)
    {
        var scale = (double)from / to;
        return Math.Max(0, 1 - Math.Abs(source + 0.5 - (target + 0.5) * scale) / Math.Max(1, scale));
    }

    private static float[] Resized(RgbImage image, int width, int height)
    {
        var result = new float[3 * width * height];
        AntialiasedResampler.Resize(image, width, height, result);
        return result;
    }
}
