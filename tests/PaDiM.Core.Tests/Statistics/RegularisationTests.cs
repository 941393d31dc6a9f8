using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class RegularisationTests
{
    private static readonly Grid Grid = new(2, 2);

    public static TheoryData<ShrinkageMethod, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<ShrinkageMethod, int, int>();
            foreach (var method in new[] { ShrinkageMethod.LedoitWolf, ShrinkageMethod.Oas })
            foreach (var (n, d) in new[] { (2, 5), (3, 12), (6, 30), (14, 9), (40, 7), (12, 12), (5, 1) })
                cases.Add(method, n, d);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Distances_equal_those_of_the_shrunk_covariance(ShrinkageMethod method, int n, int d)
    {
        var images = RandomEmbeddings.Draw(n + 7 * d, n + 1, Grid, d);
        var statistics = Fitting.Gather(images[..n]);
        double[] expected =
        [
            .. Enumerable
                .Range(0, Grid.Positions)
                .Select(p =>
                    ReferenceShrinkage
                        .Fit(method == ShrinkageMethod.Oas, images[..n].At(p), Fitting.Epsilon)
                        .Distance(images.At(p)[n])
                ),
        ];
        var shrunk = Fitting.Shrunk(method, statistics, images[..n]);
        Close.Relative(
            expected,
            MahalanobisScorer.ComputeDistances(Fitting.Unrounded(statistics, shrunk), images[n]).Values,
            1e-5
        );
        Close.Relative(
            expected,
            MahalanobisScorer.ComputeDistances(PatchDistribution.Freeze(statistics, shrunk), images[n]).Values,
            Fitting.RoundingOf16Bits
        );
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Leave_one_out_equals_refitting_with_a_new_choice_of_shrinkage(ShrinkageMethod method, int n, int d)
    {
        var images = RandomEmbeddings.Draw(n + 11 * d, n, Grid, d);
        var statistics = Fitting.Gather(images);
        var regularisation = Fitting.Shrunk(method, statistics, images);
        var maps = LeaveOneOut.Consume(statistics, regularisation).ComputeDistances(images);
        for (var p = 0; p < Grid.Positions; p++)
        {
            var vectors = images.At(p);
            Close.Relative(
                [
                    .. vectors.Select(
                        (x, i) =>
                            ReferenceShrinkage
                                .Fit(
                                    method == ShrinkageMethod.Oas,
                                    [.. vectors.Where((_, k) => k != i)],
                                    Fitting.Epsilon
                                )
                                .Distance(x)
                    ),
                ],
                [.. maps.Select(map => (double)map.Values[p])],
                1e-6
            );
        }
    }

    [Theory]
    [InlineData(ShrinkageMethod.LedoitWolf)]
    [InlineData(ShrinkageMethod.Oas)]
    public void Identical_and_constant_images_give_finite_distances(ShrinkageMethod method)
    {
        foreach (
            var images in new[]
            {
                RandomEmbeddings.Identical(9, 5, Grid, 8),
                [.. Enumerable.Range(0, 5).Select(_ => new PatchEmbedding(Grid, 8))],
            }
        )
        {
            var statistics = Fitting.Gather(images);
            var regularisation = Fitting.Shrunk(method, statistics, images);
            var distribution = PatchDistribution.Freeze(statistics, regularisation);
            Assert.All(
                MahalanobisScorer
                    .ComputeDistances(distribution, RandomEmbeddings.Draw(10, 1, Grid, 8, mean: 1e4)[0])
                    .Values,
                m => Assert.True(float.IsFinite(m))
            );
            Assert.All(
                LeaveOneOut.Consume(statistics, regularisation).ComputeDistances(images).SelectMany(map => map.Values),
                m => Assert.Equal(0, m, 1e-3)
            );
        }
    }

    [Fact]
    public void Ledoit_and_Wolf_without_moments_are_refused() =>
        Assert.Throws<ArgumentException>(() => new Regularisation(Fitting.Epsilon, ShrinkageMethod.LedoitWolf));
}
