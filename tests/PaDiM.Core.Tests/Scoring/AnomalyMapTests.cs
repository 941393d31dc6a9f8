using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Scoring;

public sealed class AnomalyMapTests
{
    [Theory]
    [InlineData(8, 8, 32, 32)]
    [InlineData(7, 5, 31, 44)]
    [InlineData(1, 6, 9, 13)]
    [InlineData(6, 1, 13, 2)]
    [InlineData(1, 1, 5, 7)]
    [InlineData(9, 9, 9, 9)]
    [InlineData(10, 12, 4, 5)]
    public void Upsampling_equals_the_formula_at_every_pixel(int height, int width, int toHeight, int toWidth)
    {
        var map = Draw(height, width);
        var upsampled = map.Upsample(new Grid(toHeight, toWidth));
        Assert.Equal(new Grid(toHeight, toWidth), upsampled.Grid);
        Close.Relative(
            ReferenceMap.Upsample(map.Values.Square(height, width), toHeight, toWidth).Flat(),
            upsampled.Values,
            2e-6
        );
    }

    [Theory]
    [InlineData(40, 37, 4)]
    [InlineData(20, 50, 1.3)]
    [InlineData(12, 12, 0.2)]
    [InlineData(3, 5, 4)]
    [InlineData(2, 30, 4)]
    [InlineData(30, 1, 4)]
    [InlineData(1, 1, 4)]
    [InlineData(17, 16, 4)]
    public void Smoothing_equals_the_two_dimensional_sum_even_where_the_mirror_is_narrower_than_the_radius(
        int height,
        int width,
        double sigma
    )
    {
        var map = Draw(height, width);
        Close.Relative(
            ReferenceMap.Smooth(map.Values.Square(height, width), sigma).Flat(),
            map.ToPixels(map.Grid, sigma).Values,
            5e-6
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_constant_map_stays_constant(double sigma)
    {
        var map = new AnomalyMap(new Grid(5, 7), [.. Enumerable.Repeat(3.7f, 35)]);
        Assert.All(map.ToPixels(new Grid(33, 41), sigma).Values, value => Assert.Equal(3.7f, value, 1e-5f));
    }

    [Fact]
    public void Sigma_0_only_upsamples()
    {
        var map = Draw(6, 6);
        Assert.Equal(map.Values, map.ToPixels(map.Grid, 0).Values);
        Assert.Equal(map.Upsample(new Grid(24, 24)).Values, map.ToPixels(new Grid(24, 24), 0).Values);
    }

    [Fact]
    public void Upsampling_to_its_own_size_changes_nothing()
    {
        var map = Draw(6, 9);
        Assert.Equal(map.Values, map.Upsample(map.Grid).Values);
    }

    [Fact]
    public void One_spike_far_from_the_border_becomes_the_kernel()
    {
        var map = new AnomalyMap(new Grid(41, 41), new float[41 * 41]);
        map.Values[20 * 41 + 20] = 1;
        var smoothed = map.ToPixels(map.Grid, 4);
        Assert.Equal(1, smoothed.Values.Sum(v => (double)v), 1e-5);
        Assert.Equal(smoothed.Max(), smoothed.Values[20 * 41 + 20]);
        // Radius 16: 33 x 33 pixels are touched, no others.
        Assert.Equal(33 * 33, smoothed.Values.Count(v => v > 0));
    }

    [Fact]
    public void Transforming_leaves_the_original_as_it_was()
    {
        var map = Draw(6, 6);
        var before = map.Values.ToArray();
        map.ToPixels(new Grid(20, 20), 4);
        Assert.Equal(before, map.Values);
    }

    [Fact]
    public void The_image_score_is_the_largest_value() =>
        Assert.Equal(9, new AnomalyMap(new Grid(2, 2), [1, 9, 3, 4]).Max());

    [Fact]
    public void A_negative_sigma_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Draw(2, 2).ToPixels(new Grid(4, 4), -1));

    private static AnomalyMap Draw(int height, int width) =>
        new(
            new Grid(height, width),
            [
                .. RandomEmbeddings
                    .Normals(new Random(height * 100 + width), height * width)
                    .Select(z => (float)(0.5 + Math.Abs(z))),
            ]
        );
}
