using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Tests.Support;

internal static class Fitting
{
    public const double Epsilon = 0.01;

    public static Regularisation Ridge { get; } = new(Epsilon);

    /// <summary>The relative error that rounding factors to 16 bits may cause in a distance.</summary>
    public const double RoundingOf16Bits = 1e-4;

    /// <summary>Freezes factors in float32, even where a smaller form exists.</summary>
    public static PatchDistribution Unrounded(PatchStatistics statistics, Regularisation regularisation) =>
        FullRankDistribution.Create(statistics, regularisation, new ParallelOptions());

    /// <summary>Epsilon with a shrinkage, its moments gathered from the images.</summary>
    public static Regularisation Shrunk(
        ShrinkageMethod method,
        PatchStatistics statistics,
        IReadOnlyList<PatchEmbedding> images
    )
    {
        var moments = new FourthMoments(statistics.Grid, statistics.Dimensions);
        foreach (var part in images.Chunk(3))
            moments.Add(statistics, part);
        return new Regularisation(Epsilon, method, moments);
    }

    /// <summary>Collects statistics of images, one batch at a time.</summary>
    public static PatchStatistics Gather(IReadOnlyList<PatchEmbedding> images, int batch = int.MaxValue)
    {
        var statistics = new PatchStatistics(images[0].Grid, images[0].Dimensions);
        foreach (var part in images.Chunk(Math.Min(batch, images.Count)))
            statistics.Add(part);
        return statistics;
    }

    /// <summary>The full matrix of one position's packed lower triangle, row-major.</summary>
    public static double[] ScatterOf(this PatchStatistics statistics, int position)
    {
        var d = statistics.Dimensions;
        var start = position * d * (d + 1) / 2;
        return
        [
            .. from i in Enumerable.Range(0, d)
            from j in Enumerable.Range(0, d)
            let column = Math.Min(i, j)
            select statistics.Scatter[start + column * d - column * (column - 1) / 2 + Math.Max(i, j) - column],
        ];
    }

    public static double[] MeanOf(this PatchStatistics statistics, int position) =>
        statistics.Mean[(position * statistics.Dimensions)..((position + 1) * statistics.Dimensions)];

    public static double[] Flat(this double[,] matrix) => [.. matrix.Cast<double>()];

    public static double[,] Square(this float[] values, int height, int width)
    {
        var map = new double[height, width];
        for (var i = 0; i < values.Length; i++)
            map[i / width, i % width] = values[i];
        return map;
    }
}
