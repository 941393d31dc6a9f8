using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// For each position the sums of |x - mean|^4 and of |x - mean|^2 (x - mean) over all training images: what Ledoit and
/// Wolf's shrinkage needs beyond the scatter, for the whole set and with one image left out. Gathered in a pass of its
/// own, when the mean is final. Not thread-safe.
/// </summary>
/// <param name="grid">Patch positions.</param>
/// <param name="dimensions">d.</param>
public sealed class FourthMoments(Grid grid, int dimensions)
{
    private readonly double[] _fourth = new double[grid.Positions];
    private readonly double[] _third = new double[grid.Positions * dimensions];

    /// <summary>Adds images that are part of the statistics.</summary>
    /// <exception cref="ArgumentException">An embedding or statistics of another shape.</exception>
    public void Add(PatchStatistics statistics, IReadOnlyList<PatchEmbedding> batch, ParallelOptions? parallel = null)
    {
        if (
            statistics.Grid != grid
            || statistics.Dimensions != dimensions
            || batch.Any(embedding => embedding.Grid != grid || embedding.Dimensions != dimensions)
        )
            throw new ArgumentException(
                $"Moments of {grid} and {dimensions} dimensions take images of that shape only.",
                nameof(batch)
            );
        Partition.Run(
            grid.Positions,
            parallel ?? Partition.AllCores,
            () => new double[dimensions],
            (p, delta) =>
            {
                foreach (var embedding in batch)
                {
                    TensorPrimitives.ConvertTruncating<float, double>(embedding[p], delta);
                    TensorPrimitives.Subtract(delta, statistics.MeanAt(p), delta);
                    var squared = TensorPrimitives.SumOfSquares<double>(delta);
                    _fourth[p] += squared * squared;
                    var sum = _third.AsSpan(p * dimensions, dimensions);
                    TensorPrimitives.MultiplyAdd(delta, squared, sum, sum);
                }
            }
        );
    }

    internal double FourthAt(int position) => _fourth[position];

    internal ReadOnlySpan<double> ThirdAt(int position) => _third.AsSpan(position * dimensions, dimensions);
}
