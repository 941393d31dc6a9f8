using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Embedding;

public sealed class LocalAverageTests
{
    [Theory]
    [InlineData(8, 8, 16)]
    [InlineData(7, 5, 100)]
    [InlineData(4, 9, 13)]
    [InlineData(1, 6, 7)]
    [InlineData(6, 1, 7)]
    [InlineData(2, 2, 3)]
    [InlineData(1, 2, 1)]
    [InlineData(3, 3, 1)]
    [InlineData(1, 1, 5)]
    public void Every_value_is_the_weighted_mean_of_nine_and_edges_repeat(int height, int width, int channels)
    {
        var map = Draw(height * width * channels);
        var averaged = map.ToArray();
        LocalAverage.Apply(averaged, new Grid(height, width));
        Close.Relative(
            ReferenceLocalAverage.Apply([.. map.Select(value => (double)value)], height, width),
            averaged,
            2e-6
        );
    }

    [Fact]
    public void A_constant_map_stays_as_it_is()
    {
        var map = Enumerable.Repeat(3f, 5 * 4 * 10).ToArray();
        LocalAverage.Apply(map, new Grid(5, 4));
        Assert.All(map, value => Assert.Equal(3, value, 1e-6f));
    }

    [Fact]
    public void Values_outside_of_the_map_are_not_touched()
    {
        var buffer = Draw(60);
        var before = buffer.ToArray();
        LocalAverage.Apply(buffer.AsSpan(10, 40), new Grid(4, 5));
        Assert.Equal(before[..10], buffer[..10]);
        Assert.Equal(before[50..], buffer[50..]);
    }

    private static float[] Draw(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => 1 + 4 * random.NextSingle())];
    }
}
