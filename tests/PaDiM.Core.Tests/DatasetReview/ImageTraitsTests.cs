using PaDiM.Core.DatasetReview;
using PaDiM.Core.Geometry;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.DatasetReview;

public sealed class ImageTraitsTests
{
    [Theory]
    [InlineData(32)]
    [InlineData(45)]
    [InlineData(64)]
    [InlineData(97)]
    public void Traits_are_those_of_the_slow_obvious_twin(int side)
    {
        var rgb = Noise(side, side);
        var luma = Luma(rgb);
        var traits = ImageTraits.Measure(rgb, new Grid(side, side));
        var mean = luma.Average();
        var variance = luma.Average(v => (v - mean) * (v - mean));
        Close.Relative(
            [
                mean,
                luma.Average(v => Math.Log2(v + 8)),
                luma.Count(v => v <= 2) / (double)luma.Length,
                luma.Count(v => v >= 253) / (double)luma.Length,
                Math.Sqrt(variance),
            ],
            [traits.Brightness, traits.Exposure, traits.BlackShare, traits.WhiteShare, traits.Contrast],
            1e-5
        );
        var half = side / 2;
        var halved = (
            from y in Enumerable.Range(0, half)
            from x in Enumerable.Range(0, half)
            select (
                luma[2 * y * side + 2 * x]
                + luma[2 * y * side + 2 * x + 1]
                + luma[(2 * y + 1) * side + 2 * x]
                + luma[(2 * y + 1) * side + 2 * x + 1]
            ) / 4
        ).ToArray();
        Assert.Equal(
            Math.Log(Laplacian(luma, side)) - 0.5 * (Math.Log(Laplacian(halved, half)) + Math.Log(variance)),
            traits.Sharpness,
            1e-3
        );
        Close.OfScale(Thumbnail(luma, side), Array.ConvertAll(traits.Thumbnail.ToArray(), v => (double)v), 1e-4);
    }

    [Fact]
    public void A_gain_that_clips_nothing_changes_neither_sharpness_nor_thumbnail()
    {
        var rgb = Array.ConvertAll(Noise(7, 64), v => 40 + v / 4);
        var once = ImageTraits.Measure(rgb, new Grid(64, 64));
        var twice = ImageTraits.Measure(Array.ConvertAll(rgb, v => 2 * v), new Grid(64, 64));
        Assert.Equal(once.Sharpness, twice.Sharpness, 1e-3);
        Close.OfScale(
            Array.ConvertAll(once.Thumbnail.ToArray(), v => (double)v),
            Array.ConvertAll(twice.Thumbnail.ToArray(), v => (double)v),
            1e-4
        );
        Assert.InRange(twice.Exposure - once.Exposure, 0.8, 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(255)]
    public void A_constant_image_has_finite_traits(float value)
    {
        var rgb = new float[3 * 40 * 40];
        Array.Fill(rgb, value);
        var traits = ImageTraits.Measure(rgb, new Grid(40, 40));
        Assert.All(traits.ToVector(), v => Assert.True(float.IsFinite(v)));
        Assert.Equal((value == 0 ? 1 : 0, value == 255 ? 1 : 0), ((int)traits.BlackShare, (int)traits.WhiteShare));
    }

    [Fact]
    public void Traits_survive_being_kept()
    {
        var traits = ImageTraits.Measure(Noise(1, 64), new Grid(64, 64));
        var vector = traits.ToVector();
        Assert.Equal(ImageTraits.VectorLength, vector.Length);
        Assert.Equal(vector, ImageTraits.FromVector(vector).ToVector());
    }

    [Fact]
    public void What_cannot_be_traits_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ImageTraits.Measure(new float[3 * 64 * 64 - 1], new Grid(64, 64)));
        Assert.Throws<ArgumentException>(() =>
            ImageTraits.Measure([float.NaN, .. Noise(1, 64)[1..]], new Grid(64, 64))
        );
        Assert.Throws<ArgumentException>(() => ImageTraits.FromVector(new float[ImageTraits.VectorLength - 1]));
        Assert.Throws<ArgumentException>(() =>
            ImageTraits.FromVector([float.NaN, .. new float[ImageTraits.VectorLength - 1]])
        );
    }

    private static float[] Noise(int seed, int side)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 3 * side * side).Select(_ => 255 * random.NextSingle())];
    }

    private static double[] Luma(float[] rgb) =>
        [.. rgb.Chunk(3).Select(p => 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2])];

    private static double Laplacian(double[] image, int side) =>
        (
            from y in Enumerable.Range(1, side - 2)
            from x in Enumerable.Range(1, side - 2)
            select Math.Pow(
                4 * image[y * side + x]
                    - image[y * side + x - 1]
                    - image[y * side + x + 1]
                    - image[(y - 1) * side + x]
                    - image[(y + 1) * side + x],
                2
            )
        ).Average();

    /// <summary>Each pixel the mean of the whole image, weighted by two splines.</summary>
    private static double[] Thumbnail(double[] luma, int side)
    {
        var scale = side / (double)ImageTraits.ThumbnailSide;
        double[][] weights =
        [
            .. Enumerable
                .Range(0, ImageTraits.ThumbnailSide)
                .Select(u => Enumerable.Range(0, side).Select(x => Spline((x + 0.5) / scale - u - 0.5)).ToArray()),
        ];
        var reduced = new List<double>();
        for (var v = 0; v < ImageTraits.ThumbnailSide; v++)
        {
            for (var u = 0; u < ImageTraits.ThumbnailSide; u++)
            {
                var sum = 0.0;
                var total = 0.0;
                for (var i = 0; i < luma.Length; i++)
                {
                    var weight = weights[u][i % side] * weights[v][i / side];
                    sum = sum + weight * luma[i];
                    total = total + weight;
                }
                reduced.Add(sum / total);
            }
        }
        var mean = reduced.Average();
        var deviation = Math.Sqrt(reduced.Average(r => (r - mean) * (r - mean)));
        return [.. reduced.Select(r => (r - mean) / Math.Max(1, deviation))];
    }

    /// <summary>The sum of the four truncated cubes that define a cubic B-spline.</summary>
    private static double Spline(double x) =>
        new[] { 1, -4, 6, -4, 1 }.Select((factor, i) => factor * Math.Pow(Math.Max(0, x + 2 - i), 3)).Sum() / 6;
}
