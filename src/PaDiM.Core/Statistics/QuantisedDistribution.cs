using System.Runtime.InteropServices;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// Covariances as whitening factors W = L^-1, Cov = L L^T, in 16 bits: M = |W (x - mean)|. Scoring one image is bound
/// by reading the factors once; this is half of what float32 needs to read, and a quarter of a square matrix.
/// </summary>
public sealed class QuantisedDistribution : PatchDistribution
{
    /// <summary>
    /// Largest error that rounding the factors may give the distance of a vector drawn from the distribution itself,
    /// relative, root mean square over the draws.
    /// </summary>
    public const double Tolerance = 4e-5;

    /// <summary>Distributions with stated factors.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">d.</param>
    /// <param name="mean">Shape <c>(positions, d)</c>.</param>
    /// <param name="whitening">Integers of W, shape <c>(positions, d (d + 1) / 2)</c>, in the order of
    /// <c>docs/algorithm.md</c>.</param>
    /// <param name="scale">What the integers of a row are multiplied by, in bfloat16, shape <c>(positions, d)</c>, last
    /// row first.</param>
    /// <exception cref="ArgumentException">A tensor of another length.</exception>
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

    /// <summary>Integers of W, shape <c>(positions, d (d + 1) / 2)</c>.</summary>
    public ReadOnlyMemory<short> Whitening { get; }

    /// <summary>Scales of W's rows in bfloat16, shape <c>(positions, d)</c>, last row first.</summary>
    public ReadOnlyMemory<ushort> Scale { get; }

    /// <inheritdoc/>
    public override long Bytes =>
        sizeof(float) * (long)Mean.Length
        + sizeof(short) * (long)Whitening.Length
        + sizeof(ushort) * (long)Scale.Length;

    /// <summary>Room for a copy of the last position, behind which there is nothing to read.</summary>
    internal override int ScratchLength =>
        (PackedTriangle.GetLength(Dimensions) + Dimensions + 2 * TriangleBlocks.Overread + 1) / 2 + 1;

    internal override void ComputeNorms(int position, Span<float> deltas, Span<float> norms, Span<float> scratch)
    {
        var d = Dimensions;
        var packed = PackedTriangle.GetLength(Dimensions);
        var blocks = Whitening.Span[(position * packed)..];
        var scales = Scale.Span[(position * d)..];
        if (blocks.Length < packed + TriangleBlocks.Overread || scales.Length < d + TriangleBlocks.Overread)
        {
            var copy = MemoryMarshal.Cast<float, short>(scratch);
            var copied = MemoryMarshal.Cast<short, ushort>(copy[(packed + TriangleBlocks.Overread)..]);
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

    /// <summary>Null where 16 bits are too few for factors of such different sizes.</summary>
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
        var fine = true;
        Partition.Run(
            positions,
            parallel,
            () => new Factorisation(d),
            (p, work) =>
            {
                if (!Volatile.Read(ref fine))
                    return;
                work.Factorise(statistics, regularisation, p);
                var scales = scale.AsSpan(p * d, d);
                TriangleBlocks.Quantise(work.Factor, d, whitening.AsSpan(p * packed, packed), scales);
                if (!(EstimateError(scales, work.Variances) <= Tolerance))
                    Volatile.Write(ref fine, false);
            }
        );
        return fine ? new QuantisedDistribution(statistics.Grid, d, ToSingle(statistics.Mean), whitening, scale) : null;
    }

    /// <summary>
    /// For x drawn from N(mean, Cov), the root mean square of the error of M over M = sqrt(d): the integers of row i
    /// are wrong by a uniform half step at most, and meet variances 0..i, so that y_i is wrong by s_i sqrt(sum of the
    /// variances / 12); M is wrong by the mean of these along y.
    /// </summary>
    private static double EstimateError(ReadOnlySpan<ushort> scales, ReadOnlySpan<double> variances)
    {
        var d = scales.Length;
        var seen = 0.0;
        var sum = 0.0;
        for (var row = 0; row < d; row++)
        {
            seen += variances[row];
            double step = TriangleBlocks.ToSingle(scales[d - 1 - row]);
            sum += step * step * seen / 12;
        }
        return Math.Sqrt(sum) / d;
    }
}
