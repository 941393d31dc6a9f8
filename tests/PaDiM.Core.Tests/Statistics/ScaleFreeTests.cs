using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class ScaleFreeTests
{
    private static readonly Grid Grid = new(3, 3);

    // Ridge, exponent, method, n, d.
    public static TheoryData<double, double, ShrinkageMethod, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<double, double, ShrinkageMethod, int, int>();
            foreach (var (n, d) in new[] { (3, 8), (4, 1), (6, 15), (12, 12), (40, 7) })
            {
                cases.Add(0.5, 1.5, ShrinkageMethod.None, n, d);
                cases.Add(0.3, 0, ShrinkageMethod.None, n, d);
                cases.Add(0, 1.5, ShrinkageMethod.None, n, d);
                cases.Add(0.5, 1.5, ShrinkageMethod.Oas, n, d);
                cases.Add(0, 1, ShrinkageMethod.Oas, n, d);
                cases.Add(0.5, 1, ShrinkageMethod.LedoitWolf, n, d);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_form_scores_as_the_formula_does(
        double ridge,
        double exponent,
        ShrinkageMethod method,
        int n,
        int d
    )
    {
        var images = Draw(n + 13 * d, n + 1, d);
        var statistics = Fitting.Gather(images[..n]);
        var regularisation = Create(ridge, exponent, method, statistics, images[..n]);
        var expected = Reference(ridge, exponent, method).Distances(ByPosition(images[..n]), ByPosition(images[n]));
        Close.Relative(expected, Score(Fitting.Unrounded(statistics, regularisation), images[n]), 1e-5);
        Close.Relative(
            expected,
            Score(PatchDistribution.Freeze(statistics, regularisation), images[n]),
            Fitting.RoundingOf16Bits
        );
        if (n > d)
            return;
        Close.Relative(
            expected,
            Score(LowRankDistribution.Create(statistics, regularisation, new ParallelOptions()), images[n]),
            1e-4
        );
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Leave_one_out_equals_refitting_with_new_variances(
        double ridge,
        double exponent,
        ShrinkageMethod method,
        int n,
        int d
    ) => EqualsRefitting(Draw(n + 17 * d, n, d), ridge, exponent, method, null);

    [Theory]
    [InlineData(ShrinkageMethod.None)]
    [InlineData(ShrinkageMethod.Oas)]
    public void Leave_one_out_of_an_outlier_and_of_more_images_than_lanes_equals_refitting(ShrinkageMethod method)
    {
        var images = Draw(5, 37, 6);
        for (var i = 0; i < images[2].Values.Length; i++)
            images[2].Values[i] += 50;
        EqualsRefitting(images, 0.5, 1.5, method, null);
    }

    [Fact]
    public void Only_what_counts_enters_the_mean_variance()
    {
        float[] shares = [1, 0.5f, 0, 1, 1, 0.25f, 0, 0, 1];
        var images = Draw(6, 9, 12);
        EqualsRefitting(images, 0.4, 1, ShrinkageMethod.None, shares);
        var scores = Distances();
        // Position 2 does not count: its values change nothing elsewhere.
        for (var i = 0; i < images.Length; i++)
            images[i][2].Fill(1e3f * i);
        var changed = Distances();
        Assert.Equal([.. scores.Where((_, p) => p != 2)], changed.Where((_, p) => p != 2).ToArray());

        float[] Distances()
        {
            var statistics = Fitting.Gather(images[..8]);
            return Score(
                Fitting.Unrounded(
                    statistics,
                    new Regularisation(Fitting.Epsilon)
                    {
                        RelativeRidge = 0.4,
                        QuietExponent = 1,
                        Shares = shares,
                    }
                ),
                images[8]
            );
        }
    }

    [Theory]
    [InlineData(30, 6)]
    [InlineData(5, 30)]
    public void A_position_that_never_varies_never_fires(int n, int d)
    {
        var images = Draw(7, n + 1, d);
        foreach (var image in images[..n])
            image[4].Fill(0.5f);
        images[n][4].Fill(100);
        var statistics = Fitting.Gather(images[..n]);
        var regularisation = new Regularisation(Fitting.Epsilon) { RelativeRidge = 0.5, QuietExponent = 1.5 };
        var distribution = PatchDistribution.Freeze(statistics, regularisation);
        foreach (var form in new[] { distribution, Fitting.Unrounded(statistics, regularisation) })
        {
            var scores = Score(form, images[n]);
            Assert.Equal(0, scores[4]);
            Assert.All(scores, score => Assert.True(float.IsFinite(score)));
            var square = new float[d * d];
            form.UnpackWhitening(4, square);
            Assert.All(square, value => Assert.Equal(0, value));
        }
        var left = LeaveOneOut.Consume(statistics, regularisation).ComputeDistances(images[..n]);
        Assert.All(left, map => Assert.Equal(0, map.Values[4]));
    }

    [Fact]
    public void An_image_that_alone_varies_at_a_position_does_not_count_there_when_it_is_left_out()
    {
        var images = Draw(8, 7, 5);
        for (var i = 0; i < images.Length; i++)
            images[i][4].Fill(i == 3 ? 9.25f : 0.5f);
        var maps = LeaveOneOut
            .Consume(
                Fitting.Gather(images),
                new Regularisation(Fitting.Epsilon) { RelativeRidge = 0.5, QuietExponent = 0.25 }
            )
            .ComputeDistances(images);
        Assert.Equal(0, maps[3].Values[4]);
    }

    [Fact]
    public void Few_images_whose_positions_vary_alike_choose_OAS()
    {
        var alike = RandomEmbeddings.Draw(12, 16, Grid, 30);
        Assert.Equal(ShrinkageMethod.Oas, Choose(alike[..15]));
        Assert.Equal(ShrinkageMethod.None, Choose(alike));
        Assert.Equal(
            ShrinkageMethod.LedoitWolf,
            ShrinkageRule.Resolve(ShrinkageMethod.LedoitWolf, Fitting.Gather(alike))
        );
        // Three of nine positions hardly vary: OAS would bring them to the front, unless they are ignored.
        var still = RandomEmbeddings.Draw(12, 15, Grid, 30);
        foreach (var image in still)
            for (var p = 0; p < 3; p++)
                image[p].Clear();
        Assert.Equal(ShrinkageMethod.None, Choose(still));
        Assert.Equal(ShrinkageMethod.Oas, Choose(still, [0, 0, 0, 1, 1, 1, 1, 1, 1]));

        static ShrinkageMethod Choose(PatchEmbedding[] images, float[]? shares = null) =>
            ShrinkageRule.Resolve(ShrinkageMethod.Auto, Fitting.Gather(images), shares);
    }

    [Theory]
    [InlineData(0.03)]
    [InlineData(1000)]
    public void Distances_do_not_depend_on_the_units_of_the_features(double unit)
    {
        var images = Draw(9, 13, 10);
        var scaled = images
            .Select(image => new PatchEmbedding(
                Grid,
                10,
                Array.ConvertAll(image.Values, value => (float)(value * unit))
            ))
            .ToArray();
        Close.Relative(Widen(Distances(images)), Distances(scaled), 1e-3);

        static float[] Distances(PatchEmbedding[] images)
        {
            var regularisation = new Regularisation(Fitting.Epsilon) { RelativeRidge = 0.5, QuietExponent = 1.5 };
            return Score(Fitting.Unrounded(Fitting.Gather(images[..12]), regularisation), images[12]);
        }
    }

    [Theory]
    [InlineData(0.3, 1.5)]
    [InlineData(0.3, 0)]
    [InlineData(0, 1.5)]
    public void Added_and_removed_images_give_what_a_fit_from_scratch_gives(double ridge, double exponent)
    {
        var images = Draw(10, 15, 9);
        var regularisation = new Regularisation(Fitting.Epsilon) { RelativeRidge = ridge, QuietExponent = exponent };
        var updated = Fitting.Gather(images[..8]);
        updated.Add(images[8..14]);
        updated.Remove(images[2..5]);
        var scratch = Fitting.Gather([.. images[..2], .. images[5..14]]);
        Close.Relative(
            Widen(Score(Fitting.Unrounded(scratch, regularisation), images[14])),
            Score(Fitting.Unrounded(updated, regularisation), images[14]),
            1e-6
        );
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(9)]
    public void Identical_images_are_at_distance_0(int n)
    {
        var images = RandomEmbeddings.Identical(34, n, Grid, 7);
        var regularisation = new Regularisation(Fitting.Epsilon) { RelativeRidge = 0.5, QuietExponent = 1.5 };
        var statistics = Fitting.Gather(images);
        Assert.All(
            Score(PatchDistribution.Freeze(statistics, regularisation), images[0]),
            m => Assert.Equal(0, m, 1e-2)
        );
        var maps = LeaveOneOut.Consume(statistics, regularisation).ComputeDistances(images);
        Assert.All(maps.SelectMany(map => map.Values), m => Assert.Equal(0, m, 1e-2));
    }

    [Fact]
    public void Of_two_images_the_variances_of_both_stand_in_for_those_of_one()
    {
        var images = Draw(11, 2, 6);
        var regularisation = new Regularisation(Fitting.Epsilon) { RelativeRidge = 0.5 };
        var maps = LeaveOneOut.Consume(Fitting.Gather(images), regularisation).ComputeDistances(images);
        var vectors = ByPosition(images);
        // With one image left, D is the difference of the two; its squares are twice the variances of both.
        var squares = vectors.Select(v => v[0].Zip(v[1], (a, b) => (a - b) * (a - b)).Sum()).ToArray();
        var ridge = 0.5 * squares.Average() / (2 * 6);
        foreach (var map in maps)
            Close.Relative([.. squares.Select(square => Math.Sqrt(square / ridge))], map.Values, 1e-6);
    }

    private static void EqualsRefitting(
        PatchEmbedding[] images,
        double ridge,
        double exponent,
        ShrinkageMethod method,
        float[]? shares
    )
    {
        var statistics = Fitting.Gather(images);
        var regularisation = Create(ridge, exponent, method, statistics, images, shares);
        var maps = LeaveOneOut.Consume(statistics, regularisation).ComputeDistances(images);
        var vectors = ByPosition(images);
        var reference = Reference(ridge, exponent, method, shares);
        for (var i = 0; i < images.Length; i++)
            Close.Relative(reference.LeaveOneOut(vectors, i), maps[i].Values, 1e-6);
    }

    /// <summary>Images whose variances differ by far from position to position.</summary>
    private static PatchEmbedding[] Draw(int seed, int n, int d)
    {
        var images = RandomEmbeddings.Draw(seed, n, Grid, d);
        foreach (var image in images)
            for (var p = 0; p < Grid.Positions; p++)
            for (var j = 0; j < d; j++)
                image[p][j] *= MathF.Pow(0.6f, p);
        return images;
    }

    private static Regularisation Create(
        double ridge,
        double exponent,
        ShrinkageMethod method,
        PatchStatistics statistics,
        PatchEmbedding[] images,
        float[]? shares = null
    )
    {
        var moments = new FourthMoments(statistics.Grid, statistics.Dimensions);
        moments.Add(statistics, images);
        return new Regularisation(Fitting.Epsilon, method, method == ShrinkageMethod.LedoitWolf ? moments : null)
        {
            RelativeRidge = ridge,
            QuietExponent = exponent,
            Shares = shares,
        };
    }

    private static ReferenceScaleFree Reference(
        double ridge,
        double exponent,
        ShrinkageMethod method,
        float[]? shares = null
    ) =>
        new(
            ridge,
            exponent,
            shares is null ? null : Widen(shares),
            Fitting.Epsilon,
            method == ShrinkageMethod.None ? null : method == ShrinkageMethod.Oas
        );

    private static float[] Score(PatchDistribution distribution, PatchEmbedding image) =>
        MahalanobisScorer.ComputeDistances(distribution, image).Values;

    private static double[] Widen(float[] values) => Array.ConvertAll(values, value => (double)value);

    private static double[][][] ByPosition(PatchEmbedding[] images) =>
        [.. Enumerable.Range(0, Grid.Positions).Select(images.At)];

    private static double[][] ByPosition(PatchEmbedding image) =>
        [.. Enumerable.Range(0, Grid.Positions).Select(p => new[] { image }.At(p)[0])];
}
