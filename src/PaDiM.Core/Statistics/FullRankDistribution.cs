using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>Covariances as whitening factors W = L^-1, Cov = L L^T: M = |W (x - mean)|.</summary>
/// <param name="grid">Patch positions.</param>
/// <param name="dimensions">Length d of an embedding vector.</param>
/// <param name="mean">Shape <c>(positions, d)</c>.</param>
/// <param name="whitening">W, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.</param>
public sealed class FullRankDistribution(
    Grid grid,
    int dimensions,
    ReadOnlyMemory<float> mean,
    ReadOnlyMemory<float> whitening
) : PatchDistribution(grid, dimensions, mean)
{
    /// <summary>Gets W, shape <c>(positions, d (d + 1) / 2)</c>: lower triangles packed by columns.</summary>
    public ReadOnlyMemory<float> Whitening { get; } =
        Shapes.CheckLength(whitening, (long)grid.Positions * PackedTriangle.GetLength(dimensions));

    /// <inheritdoc/>
    public override long Bytes => sizeof(float) * ((long)Mean.Length + Whitening.Length);

    internal override int ScratchLength => Dimensions;

    internal override void ComputeNorms(int position, Span<float> deltas, Span<float> norms, Span<float> scratch)
    {
        // scratch = W delta, and the distance is its length. TensorPrimitives vectorises both.
        var packed = PackedTriangle.GetLength(Dimensions);
        for (var i = 0; i < norms.Length; i++)
        {
            PackedTriangle.Multiply(
                Whitening.Span.Slice(position * packed, packed),
                deltas.Slice(i * Dimensions, Dimensions),
                scratch[..Dimensions]
            );
            norms[i] = TensorPrimitives.Norm<float>(scratch[..Dimensions]);
        }
    }

    /// <inheritdoc/>
    public override void UnpackWhitening(int position, Span<float> square)
    {
        var packed = PackedTriangle.GetLength(Dimensions);
        PackedTriangle.Unpack(Whitening.Span.Slice(position * packed, packed), Dimensions, square);
    }

    internal static FullRankDistribution Create(
        PatchStatistics statistics,
        Regularisation regularisation,
        ParallelOptions parallel
    )
    {
        var d = statistics.Dimensions;
        var packed = statistics.PackedLength;
        var variances = regularisation.Measure(statistics);
        var whitening = LargeArray.Create<float>(statistics.Scatter.Length);
        Partition.Run(
            statistics.Grid.Positions,
            parallel,
            () => new Factorisation(d),
            (p, work) =>
            {
                work.Factorise(statistics.ScatterAt(p), regularisation.GetTerms(statistics, variances, p));
                TensorPrimitives.ConvertTruncating<double, float>(work.Factor, whitening.AsSpan(p * packed, packed));
            }
        );
        return new FullRankDistribution(statistics.Grid, d, ToSingle(statistics.Mean), whitening);
    }
}
