using PaDiM.Core.Embedding;

namespace PaDiM.Core.Statistics;

/// <summary>
/// One frozen Gaussian a patch position, ready to score with: the mean and the whitening factor W = L^-1, where
/// Cov = M2 / (n - 1) + epsilon I = L L^T (Defard et al., equation 1). Nothing is inverted or factorised at scoring time. Immutable, thread-safe.
/// </summary>
/// <param name="grid">Patch positions.</param>
/// <param name="dimensions">d.</param>
/// <param name="mean">Shape <c>(positions, d)</c>.</param>
/// <param name="whitening">W, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.</param>
public sealed class PatchDistribution(Grid grid, int dimensions, float[] mean, float[] whitening)
{
    /// <summary>Patch positions.</summary>
    public Grid Grid { get; } = grid;

    /// <summary>d.</summary>
    public int Dimensions { get; } = dimensions;

    /// <summary>Means, shape <c>(positions, d)</c>.</summary>
    public float[] Mean { get; } = Shapes.Checked(mean, (long)grid.Positions * dimensions);

    /// <summary>W, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.</summary>
    public float[] Whitening { get; } = Shapes.Checked(whitening, (long)grid.Positions * PackedTriangle.Length(dimensions));

    internal ReadOnlySpan<float> MeanAt(int position) => Mean.AsSpan(position * Dimensions, Dimensions);

    internal ReadOnlySpan<float> WhiteningAt(int position)
    {
        var packed = PackedTriangle.Length(Dimensions);
        return Whitening.AsSpan(position * packed, packed);
    }

    /// <summary>Freezes statistics. Cost: <c>O(positions * d^3)</c>, all in float64, stored as float32.</summary>
    /// <param name="statistics">At least two images.</param>
    /// <param name="epsilon">Added to every variance, in squared units of the embedding; above 0. It carries the directions that n &lt; d images leave open.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <exception cref="ArgumentException">Fewer than two images.</exception>
    /// <exception cref="ArithmeticException">Statistics that are not finite.</exception>
    public static PatchDistribution Freeze(PatchStatistics statistics, double epsilon, ParallelOptions? parallel = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        if (statistics.Count < 2) throw new ArgumentException($"A covariance needs at least 2 images, not {statistics.Count}.", nameof(statistics));
        var (d, packed) = (statistics.Dimensions, statistics.Packed);
        var mean = Array.ConvertAll(statistics.Mean, v => (float)v);
        var whitening = new float[statistics.Scatter.Length];
        Partition.Run(statistics.Grid.Positions, parallel ?? Partition.AllCores, () => new double[packed + d], (p, scratch) =>
        {
            var factor = scratch.AsSpan(0, packed);
            System.Numerics.Tensors.TensorPrimitives.Divide(statistics.ScatterAt(p), statistics.Count - 1.0, factor);
            Whiten(factor, d, epsilon, scratch.AsSpan(packed));
            for (var i = 0; i < packed; i++) whitening[p * packed + i] = (float)factor[i];
        });
        return new PatchDistribution(statistics.Grid, d, mean, whitening);
    }

    /// <summary>(A + ridge I)^(-1/2) as the inverse Cholesky factor, in place.</summary>
    internal static void Whiten(Span<double> packed, int d, double ridge, Span<double> scratch)
    {
        for (int j = 0, at = 0; j < d; at += d - j++) packed[at] += ridge;
        PackedTriangle.Cholesky(packed, d);
        PackedTriangle.Invert(packed, d, scratch);
    }
}
