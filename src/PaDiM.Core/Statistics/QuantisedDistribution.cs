using System.Runtime.InteropServices;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// Covariances as whitening factors W = L^-1, Cov = L L^T, in 16 bits: M = |W (x - mean)|. Memory bandwidth bounds the
/// scoring of one image, which reads every factor once: 16 bits are half of float32, and a quarter of a square matrix.
/// </summary>
public sealed class QuantisedDistribution : PatchDistribution
{
    /// <summary>
    /// The largest relative error, root mean square, that rounding the factors may cause in the distance of a vector
    /// that is drawn from the distribution itself.
    /// </summary>
    public const double Tolerance = 4e-5;

    /// <summary>Creates distributions from their factors.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">Length d of an embedding vector.</param>
    /// <param name="mean">Shape <c>(positions, d)</c>.</param>
    /// <param name="whitening">Integers of W, shape <c>(positions, d (d + 1) / 2)</c>, in the order of
    /// <c>docs/algorithm.md</c>.</param>
    /// <param name="scale">Factors of the integers of each row, in bfloat16, shape <c>(positions, d)</c>, last row
    /// first.</param>
    /// <exception cref="ArgumentException">A tensor has another length.</exception>
    public QuantisedDistribution(
        Grid grid,
        int dimensions,
        ReadOnlyMemory<float> mean,
        ReadOnlyMemory<short> whitening,
        ReadOnlyMemory<ushort> scale
    )
        : base(grid, dimensions, mean)
    {
        Whitening = Shapes.CheckLength(whitening, (long)grid.Positions * PackedTriangle.GetLength(dimensions));
        Scale = Shapes.CheckLength(scale, (long)grid.Positions * dimensions);
    }

    /// <summary>Gets the integers of W, shape <c>(positions, d (d + 1) / 2)</c>.</summary>
    public ReadOnlyMemory<short> Whitening { get; }

    /// <summary>Gets the scales of W's rows in bfloat16, shape <c>(positions, d)</c>, last row first.</summary>
    public ReadOnlyMemory<ushort> Scale { get; }

    /// <inheritdoc/>
    public override long Bytes =>
        sizeof(float) * (long)Mean.Length
        + sizeof(short) * (long)Whitening.Length
        + sizeof(ushort) * (long)Scale.Length;

    /// <summary>
    /// Gets the floats for a copy of the last positions, after which <see cref="TriangleBlocks.ReadAhead"/> values
    /// cannot be read.
    /// </summary>
    internal override int ScratchLength =>
        (PackedTriangle.GetLength(Dimensions) + Dimensions + 2 * TriangleBlocks.ReadAhead + 1) / 2 + 1;

    internal override void ComputeNorms(int position, Span<float> deltas, Span<float> norms, Span<float> scratch)
    {
        var d = Dimensions;
        var packed = PackedTriangle.GetLength(Dimensions);
        var blocks = Whitening.Span[(position * packed)..];
        var scales = Scale.Span[(position * d)..];
        if (blocks.Length < packed + TriangleBlocks.ReadAhead || scales.Length < d + TriangleBlocks.ReadAhead)
        {
            // The kernel reads past the triangle and past its scales. Between positions that is harmless: the values
            // there belong to the next position and are masked. At the end of the arrays it works on a padded copy.
            var copy = MemoryMarshal.Cast<float, short>(scratch);
            var copied = MemoryMarshal.Cast<short, ushort>(copy[(packed + TriangleBlocks.ReadAhead)..]);
            blocks[..packed].CopyTo(copy);
            scales[..d].CopyTo(copied);
            blocks = copy;
            scales = copied;
        }
        TriangleBlocks.ComputeNorms(
            in MemoryMarshal.GetReference(blocks),
            in MemoryMarshal.GetReference(scales),
            d,
            deltas,
            norms
        );
    }

    /// <inheritdoc/>
    public override void UnpackWhitening(int position, Span<float> square)
    {
        var d = Dimensions;
        var packed = PackedTriangle.GetLength(Dimensions);
        var triangle = new float[packed];
        TriangleBlocks.Restore(
            Whitening.Span.Slice(position * packed, packed),
            Scale.Span.Slice(position * d, d),
            triangle
        );
        PackedTriangle.Unpack<float>(triangle, d, square);
    }

    /// <summary>Creates distributions; null if 16 bits are too few for the factors' range of sizes.</summary>
    internal static QuantisedDistribution? TryCreate(
        PatchStatistics statistics,
        Regularisation regularisation,
        ParallelOptions parallel
    )
    {
        var d = statistics.Dimensions;
        var packed = statistics.PackedLength;
        var positions = statistics.Grid.Positions;
        var whitening = LargeArray.Create<short>((long)positions * packed);
        var scale = new ushort[positions * d];
        var variances = regularisation.Measure(statistics);
        var isExact = true;
        Partition.Run(
            positions,
            parallel,
            () => new Factorisation(d),
            (p, work) =>
            {
                // One position that needs float32 decides for all: the rest of the work is skipped.
                if (!Volatile.Read(ref isExact))
                    return;
                var terms = regularisation.GetTerms(statistics, variances, p);
                work.Factorise(statistics.ScatterAt(p), terms);
                var scales = scale.AsSpan(p * d, d);
                TriangleBlocks.Quantise(work.Factor, d, whitening.AsSpan(p * packed, packed), scales);
                // The weight multiplies the error and M alike; with weight 0 both are 0.
                if (!(EstimateError(scales, work.Variances) <= Tolerance * Math.Sqrt(terms.Weight)))
                    Volatile.Write(ref isExact, false);
            }
        );
        return isExact
            ? new QuantisedDistribution(statistics.Grid, d, ToSingle(statistics.Mean), whitening, scale)
            : null;
    }

    /// <summary>
    /// Estimates the root mean square of the error of M, relative to M = sqrt(d), for x drawn from N(mean, Cov). The
    /// rounding error of an integer in row i is uniform within half a step, with variance s_i^2 / 12, and is multiplied
    /// by x_j - mean_j for j up to i. So the error of y_i is s_i sqrt(sum of variances 0 to i / 12), and the error of M
    /// is the mean of these along y.
    /// </summary>
    private static double EstimateError(ReadOnlySpan<ushort> scales, ReadOnlySpan<double> variances)
    {
        var d = scales.Length;
        var variance = 0.0;
        var sum = 0.0;
        for (var row = 0; row < d; row++)
        {
            variance += variances[row];
            double step = TriangleBlocks.ToSingle(scales[d - 1 - row]);
            sum += step * step * variance / 12;
        }
        return Math.Sqrt(sum) / d;
    }
}
