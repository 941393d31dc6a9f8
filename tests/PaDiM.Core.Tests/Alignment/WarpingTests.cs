using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

public sealed class WarpingTests
{
    private const int Side = 13;

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.2, 1.25, -2)]
    [InlineData(-0.26, -1.9, 0.5)]
    [InlineData(0, 40, -40)]
    public void An_image_equals_the_sum_over_all_pixels(double angle, double shiftX, double shiftY)
    {
        var image = Draw(3);
        var transform = new RigidTransform(angle, shiftX, shiftY);
        var result = new float[3 * Side * Side];
        Warping.ToTemplate(image, new Grid(Side, Side), transform, result);
        for (var y = 0; y < Side; y++)
        for (var x = 0; x < Side; x++)
        for (var k = 0; k < 3; k++)
        {
            var (px, py) = transform.Map(x, y, new Grid(Side, Side));
            Assert.Equal(Twin(image, 3, k, px, py), result[3 * (y * Side + x) + k], 1e-3);
        }
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.2, 1.25, -2)]
    [InlineData(-0.26, -1.9, 0.5)]
    [InlineData(0, 40, -40)]
    public void A_map_equals_the_sum_over_all_pixels_and_0_beyond_the_template(
        double angle,
        double shiftX,
        double shiftY
    )
    {
        var map = Draw(1);
        var transform = new RigidTransform(angle, shiftX, shiftY);
        var result = new float[Side * Side];
        Warping.ToImage(map, new Grid(Side, Side), transform, result);
        for (var y = 0; y < Side; y++)
        for (var x = 0; x < Side; x++)
        {
            var (px, py) = transform.Inverse().Map(x, y, new Grid(Side, Side));
            var outside = px < -0.5 || py < -0.5 || px > Side - 0.5 || py > Side - 0.5;
            Assert.Equal(outside ? 0 : Twin(map, 1, 0, px, py), result[y * Side + x], 1e-3);
        }
    }

    [Fact]
    public void The_identity_copies()
    {
        var image = Draw(3);
        var map = Draw(1);
        var there = new float[image.Length];
        var back = new float[map.Length];
        Warping.ToTemplate(image, new Grid(Side, Side), RigidTransform.Identity, there);
        Warping.ToImage(map, new Grid(Side, Side), RigidTransform.Identity, back);
        Assert.Equal(image, there);
        Assert.Equal(map, back);
    }

    [Fact]
    public void A_spot_found_in_the_template_lies_where_the_transform_says()
    {
        var map = new float[64 * 64];
        var result = new float[64 * 64];
        var transform = new RigidTransform(0.2, 5, -3);
        for (var y = -2; y <= 2; y++)
            map.AsSpan((20 + y) * 64 + 38, 5).Fill(9);
        Warping.ToImage(map, new Grid(64, 64), transform, result);
        var (x, y2) = transform.Map(40, 20, new Grid(64, 64));
        Assert.Equal(9, result[(int)Math.Round(y2) * 64 + (int)Math.Round(x)], 1e-4);
    }

    [Fact]
    public void Spans_of_another_shape_are_refused()
    {
        Assert.Throws<ArgumentException>(() =>
            Warping.ToTemplate(new float[10], new Grid(Side, Side), default, new float[10])
        );
        Assert.Throws<ArgumentException>(() =>
            Warping.ToTemplate(Draw(3), new Grid(Side, Side), default, new float[10])
        );
        Assert.Throws<ArgumentException>(() => Warping.ToImage(Draw(1), new Grid(Side, Side), default, new float[10]));
    }

    /// <summary>
    /// Bilinear interpolation as a sum of tents over all pixels, at a place clamped to the centres of the outermost.
    /// </summary>
    private static double Twin(float[] image, int channels, int channel, double px, double py)
    {
        px = Math.Clamp(px, 0, Side - 1);
        py = Math.Clamp(py, 0, Side - 1);
        var sum = 0.0;
        for (var y = 0; y < Side; y++)
        for (var x = 0; x < Side; x++)
            sum +=
                Math.Max(0, 1 - Math.Abs(px - x))
                * Math.Max(0, 1 - Math.Abs(py - y))
                * image[channels * (y * Side + x) + channel];
        return sum;
    }

    private static float[] Draw(int channels)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, channels * Side * Side).Select(_ => 255 * random.NextSingle())];
    }
}
