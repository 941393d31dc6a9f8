using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// Per position the sums of |x - mean|^4 and of |x - mean|^2 (x - mean) over all training images: what Ledoit and
/// Wolf's shrinkage needs in addition to the scatter, for the whole set and with one image left out. They need a pass
/// of their own after the mean is final. Not thread-safe.
/// </summary>
/// <param name="grid">Patch positions.</param>
/// <param name="dimensions">Length d of an embedding vector.</param>
public sealed class FourthMoments(Grid grid, int dimensions)
{
    private readonly double[] _fourth = new double[grid.Positions];
    private readonly double[] _third = new double[grid.Positions * dimensions];

    /// <summary>Adds images that are part of the statistics.</summary>
    /// <exception cref="ArgumentException">An embedding or the statistics have another shape.</exception>
    public void Add(PatchStatistics statistics, IReadOnlyList<PatchEmbedding> batch, ParallelOptions? parallel = null)
    {
        if (
            statistics.Grid != grid
            || statistics.Dimensions != dimensions
            || batch.Any(embedding => embedding.Grid != grid || embedding.Dimensions != dimensions)
        )
            throw new ArgumentException(
                $"Moments with {grid} and {dimensions} dimensions only accept embeddings of that shape.",
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
                    // delta = x - mean: |delta|^2 enters the fourth moment squared, and the third as a factor of delta.
                    var squared = TensorPrimitives.SumOfSquares<double>(delta);
                    _fourth[p] += squared * squared;
                    var sum = _third.AsSpan(p * dimensions, dimensions);
                    TensorPrimitives.MultiplyAdd(delta, squared, sum, sum);
                }
            }
        );
    }

    /// <summary>Gets the sum of |x - mean|^4 at a position.</summary>
    internal double FourthAt(int position) => _fourth[position];

    /// <summary>Gets the sum of |x - mean|^2 (x - mean) at a position, length d.</summary>
    internal ReadOnlySpan<double> ThirdAt(int position) => _third.AsSpan(position * dimensions, dimensions);
}
