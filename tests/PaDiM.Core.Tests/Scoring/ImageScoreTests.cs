using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.TestSupport;

namespace PaDiM.Core.Tests.Scoring;

public sealed class ImageScoreTests
{
    [Theory]
    [InlineData(256, 256)]
    [InlineData(224, 224)]
    [InlineData(37, 41)]
    [InlineData(32, 32)]
    [InlineData(10, 20)]
    [InlineData(7, 3)]
    [InlineData(1, 1)]
    public void The_mean_of_the_highest_hundredth_equals_a_sort(int height, int width)
    {
        foreach (var (i, values) in DrawMaps(height * width).Index())
        {
            var highest = values.OrderDescending().Take((int)Math.Ceiling(0.01 * values.Length)).ToArray();
            var score = new ImageScore(ImageScoreMethod.Top, values.Length);
            Assert.Equal(highest.Length, score.Pixels);
            var top = score.Compute(new AnomalyMap(new Grid(height, width), [.. values]));
            Assert.True((float)highest.Average(value => (double)value) == top, $"map {i}");
            Assert.InRange(top, 0, highest[0]);
        }
    }

    [Fact]
    public void The_maximum_is_the_largest_pixel()
    {
        foreach (var values in DrawMaps(900))
            Assert.Equal(
                values.Max(),
                new ImageScore(ImageScoreMethod.Max, values.Length).Compute(new AnomalyMap(new Grid(30, 30), values))
            );
    }

    [Fact]
    public void Ignored_pixels_do_not_widen_the_highest_hundredth()
    {
        var values = DrawMaps(10_000).First();
        values.AsSpan(2_000).Clear();
        var score = new ImageScore(ImageScoreMethod.Top, 2_000);
        Assert.Equal(20, score.Pixels);
        Assert.Equal(
            (float)values.OrderDescending().Take(20).Average(value => (double)value),
            score.Compute(new AnomalyMap(new Grid(100, 100), values))
        );
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_pixel_that_is_not_finite_makes_a_score_that_is_not_finite(float value)
    {
        var values = new float[10_000];
        values[1234] = value;
        Assert.False(
            float.IsFinite(
                new ImageScore(ImageScoreMethod.Top, values.Length).Compute(new AnomalyMap(new Grid(100, 100), values))
            )
        );
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var map = new AnomalyMap(new Grid(256, 256), DrawMaps(256 * 256).First());
        var score = new ImageScore(ImageScoreMethod.Top, map.Values.Length);
        Assert.Equal(0, Allocations.Count(() => score.Compute(map)));
    }

    /// <summary>Draws noise, a smooth hill, few distinct values, ascending values, and a constant map.</summary>
    private static IEnumerable<float[]> DrawMaps(int count)
    {
        var random = new Random(count);
        yield return [.. Enumerable.Range(0, count).Select(_ => 9 * random.NextSingle())];
        yield return [.. Enumerable.Range(0, count).Select(i => MathF.Exp(-MathF.Pow((i - count / 3f) / 40, 2)))];
        yield return [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(3))];
        yield return [.. Enumerable.Range(0, count).Select(i => (float)i)];
        yield return [.. Enumerable.Range(0, count).Select(i => (float)(count - i))];
        yield return [.. Enumerable.Repeat(2.5f, count)];
        yield return new float[count];
    }
}
