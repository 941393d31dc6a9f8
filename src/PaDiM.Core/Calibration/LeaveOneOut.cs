using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>
/// The exact distance of each training image from the distribution fitted without it, in closed form: with A = M2 + epsilon (n - 2) I,
/// D = x - mean, q = D^T A^-1 D and c = n / (n - 1), M^2 = c^2 (n - 2) q / (1 - c q). Everything is float64: for n below d, c q is near 1.
/// With n = 2 the one image left has no covariance, and epsilon I stands alone: M^2 = c^2 |D|^2 / epsilon.
/// </summary>
public sealed class LeaveOneOut
{
    private readonly PatchStatistics factors;
    private readonly int count;
    private readonly double epsilon;

    private LeaveOneOut(PatchStatistics factors, double epsilon) => (this.factors, count, this.epsilon) = (factors, factors.Count, epsilon);

    /// <summary>
    /// Factorises A at each position <b>in place</b>: the scatter of <paramref name="statistics"/> is used up, so that no second copy is held.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer than two images.</exception>
    public static LeaveOneOut Consume(PatchStatistics statistics, double epsilon, ParallelOptions? parallel = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        if (statistics.Count < 2) throw new ArgumentException($"Leaving one out needs at least 2 images, not {statistics.Count}.", nameof(statistics));
        if (statistics.Count > 2)
            Partition.Run(statistics.Grid.Positions, parallel ?? Partition.AllCores, () => new double[statistics.Dimensions], (p, scratch) =>
                PatchDistribution.Whiten(statistics.ScatterAt(p), statistics.Dimensions, epsilon * (statistics.Count - 2), scratch));
        return new LeaveOneOut(statistics, epsilon);
    }

    /// <summary>Leave-one-out distances of training images, one map an image.</summary>
    /// <param name="batch">Embeddings that are part of the statistics.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <exception cref="ArgumentException">An embedding has another shape than the statistics.</exception>
    public AnomalyMap[] Distances(IReadOnlyList<PatchEmbedding> batch, ParallelOptions? parallel = null)
    {
        foreach (var embedding in batch)
            if (embedding.Grid != factors.Grid || embedding.Dimensions != factors.Dimensions)
                throw new ArgumentException($"An embedding of {embedding.Grid} and {embedding.Dimensions} dimensions does not fit statistics of {factors.Grid} and {factors.Dimensions}.", nameof(batch));
        var d = factors.Dimensions;
        var c = count / (count - 1.0);
        var maps = batch.Select(_ => new AnomalyMap(factors.Grid, new float[factors.Grid.Positions])).ToArray();
        Partition.Run(factors.Grid.Positions, parallel ?? Partition.AllCores, () => new double[2 * d], (p, scratch) =>
        {
            var delta = scratch.AsSpan(0, d);
            var whitened = scratch.AsSpan(d);
            for (var i = 0; i < maps.Length; i++)
            {
                TensorPrimitives.ConvertTruncating<float, double>(batch[i][p], delta);
                TensorPrimitives.Subtract(delta, factors.MeanAt(p), delta);
                maps[i].Values[p] = (float)Math.Sqrt(count == 2 ? c * c * TensorPrimitives.SumOfSquares<double>(delta) / epsilon : Squared(p, delta, whitened));
            }
        });
        return maps;

        double Squared(int p, Span<double> delta, Span<double> whitened)
        {
            PackedTriangle.Multiply(factors.ScatterAt(p), delta, whitened);
            var q = TensorPrimitives.SumOfSquares<double>(whitened);
            // c q < 1 in exact arithmetic; rounding must not turn a far image into NaN.
            return c * c * (count - 2) * q / Math.Max(1 - c * q, 1e-12);
        }
    }
}
