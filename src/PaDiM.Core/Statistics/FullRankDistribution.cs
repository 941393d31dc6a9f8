using System.Numerics.Tensors;
using PaDiM.Core.Embedding;

namespace PaDiM.Core.Statistics;

/// <summary>Covariances as whitening factors W = L^-1, Cov = L L^T: M = |W (x - mean)|.</summary>
/// <param name="grid">Patch positions.</param>
/// <param name="dimensions">d.</param>
/// <param name="mean">Shape <c>(positions, d)</c>.</param>
/// <param name="whitening">W, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.</param>
public sealed class FullRankDistribution(Grid grid, int dimensions, float[] mean, float[] whitening) : PatchDistribution(grid, dimensions, mean)
{
    /// <summary>W, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.</summary>
    public float[] Whitening { get; } = Shapes.Checked(whitening, (long)grid.Positions * PackedTriangle.Length(dimensions));

    /// <inheritdoc/>
    public override long Bytes => sizeof(float) * (Mean.LongLength + Whitening.LongLength);

    internal override int Scratch => Dimensions;

    internal override float Norm(int position, Span<float> delta, Span<float> scratch)
    {
        var packed = PackedTriangle.Length(Dimensions);
        PackedTriangle.Multiply(Whitening.AsSpan(position * packed, packed), delta, scratch[..Dimensions]);
        return TensorPrimitives.Norm<float>(scratch[..Dimensions]);
    }

    internal static FullRankDistribution Of(PatchStatistics statistics, Regularisation regularisation, ParallelOptions parallel)
    {
        var (d, packed) = (statistics.Dimensions, statistics.Packed);
        var whitening = new float[statistics.Scatter.Length];
        Partition.Run(statistics.Grid.Positions, parallel, () => new double[packed + d], (p, scratch) =>
        {
            var (scale, ridge) = regularisation.At(statistics, p);
            var factor = scratch.AsSpan(0, packed);
            TensorPrimitives.Multiply(statistics.ScatterAt(p), scale, factor);
            PackedTriangle.Whiten(factor, d, ridge, scratch.AsSpan(packed));
            TensorPrimitives.ConvertTruncating<double, float>(factor, whitening.AsSpan(p * packed, packed));
        });
        return new FullRankDistribution(statistics.Grid, d, Array.ConvertAll(statistics.Mean, v => (float)v), whitening);
    }
}
