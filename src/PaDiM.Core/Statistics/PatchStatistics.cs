using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// The sums of a fit whose positions have Gaussians of their own: per position the count n, the mean and the centred
/// scatter M2 = sum (x - mean)(x - mean)^T. They are updated with Chan's formula (Chan, Golub, LeVeque, 1979), never
/// with raw moments. Memory: <c>positions * (d + d (d + 1) / 2)</c> doubles.
/// </summary>
public sealed class PatchStatistics : TrainingStatistics
{
    /// <summary>Creates statistics from their sums.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">Length d of an embedding vector.</param>
    /// <param name="count">Number of images n, at least 0.</param>
    /// <param name="mean">Shape <c>(positions, d)</c>.</param>
    /// <param name="scatter">M2, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.</param>
    /// <exception cref="ArgumentException">The number of images is negative, or an array has another length.</exception>
    public PatchStatistics(Grid grid, int dimensions, int count, double[] mean, double[] scatter)
        : base(grid, dimensions, count)
    {
        Mean = Shapes.CheckLength(mean, (long)grid.Positions * dimensions);
        Scatter = Shapes.CheckLength(scatter, (long)grid.Positions * PackedTriangle.GetLength(dimensions));
    }

    /// <summary>Creates statistics without images.</summary>
    public PatchStatistics(Grid grid, int dimensions)
        : this(
            grid,
            dimensions,
            0,
            new double[grid.Positions * dimensions],
            LargeArray.Create<double>(checked(grid.Positions * PackedTriangle.GetLength(dimensions)))
        ) { }

    /// <summary>Gets the means, shape <c>(positions, d)</c>.</summary>
    public double[] Mean { get; }

    /// <summary>
    /// Gets the scatter M2, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.
    /// </summary>
    public double[] Scatter { get; }

    internal Span<double> MeanAt(int position) => Mean.AsSpan(position * Dimensions, Dimensions);

    internal Span<double> ScatterAt(int position) => Scatter.AsSpan(position * PackedLength, PackedLength);

    /// <inheritdoc/>
    public override bool IsFor(PatchPositions positions, float[]? shares) => positions == PatchPositions.Own;

    /// <summary>
    /// Adds the statistics of other images. The result does not depend on the order, but for rounding.
    /// </summary>
    /// <exception cref="ArgumentException">The statistics have another shape.</exception>
    public void Merge(PatchStatistics other, ParallelOptions? parallel = null)
    {
        if (other.Grid != Grid || other.Dimensions != Dimensions)
            throw new ArgumentException("Statistics with another shape cannot be merged.", nameof(other));
        if (other.Count == 0)
            return;
        double total = Count + other.Count;
        Partition.Run(
            Grid.Positions,
            parallel ?? Partition.AllCores,
            () => new double[Dimensions],
            (p, delta) =>
            {
                var mean = MeanAt(p);
                var scatter = ScatterAt(p);
                TensorPrimitives.Subtract(other.MeanAt(p), mean, delta);
                TensorPrimitives.Add(scatter, other.ScatterAt(p), scatter);
                AddOuterProduct(scatter, delta, Count * (other.Count / total));
                TensorPrimitives.MultiplyAdd(delta, other.Count / total, mean, mean);
            }
        );
        Grow(other.Count);
    }

    private protected override void Clear()
    {
        Array.Clear(Mean);
        Array.Clear(Scatter);
    }

    /// <summary>
    /// Adds images: M2 = M2a + M2b + (na nb / (na + nb)) D D^T with D = mean_b - mean_a, or solves it for M2a. Cost:
    /// <c>O(positions * d^2)</c> per image.
    /// </summary>
    private protected override void UpdateSums(IReadOnlyList<PatchEmbedding> batch, int sign, ParallelOptions parallel)
    {
        var d = Dimensions;
        var k = batch.Count;
        var after = Count + sign * k;
        // The scatter of the batch and the shift of its mean are one sum of k + 1 outer products, whose last vector is
        // sqrt(n k / after) (mean_b - mean). Chan's formula gives the same factor for a removal: there mean_b - mean_a
        // is (n / after) (mean_b - mean), and the formula's own factor is after k / n.
        var shift = Math.Sqrt((double)Count * k / after);
        Partition.Run(
            Grid.Positions,
            parallel,
            () => new OuterProducts(d, k + 1),
            (p, products) =>
            {
                var mean = MeanAt(p);
                var delta = products[k];
                // delta = mean of the batch.
                delta.Clear();
                for (var i = 0; i < k; i++)
                {
                    TensorPrimitives.ConvertTruncating<float, double>(batch[i][p], products[i]);
                    TensorPrimitives.Add(delta, products[i], delta);
                }
                TensorPrimitives.Divide(delta, (double)k, delta);
                for (var i = 0; i < k; i++)
                    TensorPrimitives.Subtract(products[i], delta, products[i]);
                // delta = D, then mean += sign k / after D.
                TensorPrimitives.Subtract(delta, mean, delta);
                TensorPrimitives.MultiplyAdd(delta, sign * (double)k / after, mean, mean);
                TensorPrimitives.Multiply(delta, shift, delta);
                products.AddTo(ScatterAt(p), sign);
            }
        );
    }

    private static void AddOuterProduct(Span<double> scatter, ReadOnlySpan<double> x, double factor)
    {
        foreach (var column in PackedTriangle.Columns(x.Length))
        {
            var target = column.In(scatter);
            TensorPrimitives.MultiplyAdd(x[column.Index..], factor * x[column.Index], target, target);
        }
    }
}
