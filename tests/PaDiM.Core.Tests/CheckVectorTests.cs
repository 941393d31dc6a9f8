using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests;

public sealed class CheckVectorTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    public static TheoryData<int> Cases => [0, 1, 2];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Mean_and_covariance_agree_with_the_check_vectors(int index)
    {
        var vectors = CheckVectors.Load();
        var given = vectors.Cases[index];
        var statistics = Fitting.Gather(Images(vectors.Cases[index]));
        Report("mean", given.Mean, statistics.Mean);
        Report(
            "covariance",
            given.Covariance,
            [.. Enumerable.Range(0, given.P).SelectMany(p => Covariance(statistics, p, vectors.Epsilon))]
        );
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Probe_distances_agree_with_the_check_vectors(int index)
    {
        var vectors = CheckVectors.Load();
        var given = vectors.Cases[index];
        var statistics = Fitting.Gather(Images(given));
        var ridge = new Regularisation(vectors.Epsilon);
        var probe = new PatchEmbedding(new Grid(1, given.P), given.D, Array.ConvertAll(given.Probe, v => (float)v));
        Report(
            "probe distance",
            given.ProbeDistance,
            Widen(MahalanobisScorer.ComputeDistances(Fitting.Unrounded(statistics, ridge), probe).Values)
        );
        Report(
            "probe distance of the smallest form",
            given.ProbeDistance,
            Widen(MahalanobisScorer.ComputeDistances(PatchDistribution.Freeze(statistics, ridge), probe).Values),
            Fitting.RoundingOf16Bits
        );
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Leave_one_out_distances_agree_with_the_check_vectors(int index)
    {
        var vectors = CheckVectors.Load();
        var images = Images(vectors.Cases[index]);
        var maps = LeaveOneOut
            .Consume(Fitting.Gather(images), new Regularisation(vectors.Epsilon))
            .ComputeDistances(images);
        Report(
            "leave-one-out distance",
            vectors.Cases[index].LeaveOneOutDistance,
            [.. maps.SelectMany(map => Widen(map.Values))]
        );
    }

    [Fact]
    public void Upsampling_and_smoothing_agree_with_the_check_vectors()
    {
        var given = CheckVectors.Load().Map;
        var map = new AnomalyMap(new Grid(given.Rows, given.Cols), Array.ConvertAll(given.Grid, v => (float)v));
        var size = new Grid(given.Size, given.Size);
        Report("upsampled", given.Upsampled, Widen(map.Upsample(size).Values));
        Report("smoothed", given.Smoothed, Widen(map.ToPixels(size, 4).Values));
    }

    private void Report(string what, double[] expected, double[] actual, double tolerance = Tolerance)
    {
        output.WriteLine($"{what}: largest relative error {Close.Error(expected, actual):e1}");
        Close.Relative(expected, actual, tolerance);
    }

    private static PatchEmbedding[] Images(CheckVectors.Case given) =>
        [
            .. given
                .Embeddings.Chunk(given.P * given.D)
                .Select(values => new PatchEmbedding(
                    new Grid(1, given.P),
                    given.D,
                    Array.ConvertAll(values, v => (float)v)
                )),
        ];

    private static IEnumerable<double> Covariance(PatchStatistics statistics, int position, double epsilon) =>
        statistics
            .ScatterOf(position)
            .Select((m2, i) => m2 / (statistics.Count - 1) + (i % (statistics.Dimensions + 1) == 0 ? epsilon : 0));

    private static double[] Widen(float[] values) => Array.ConvertAll(values, v => (double)v);
}
