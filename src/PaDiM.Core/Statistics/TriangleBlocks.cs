using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A lower triangle of 16-bit integers in the order in which a product with it reads them: rows from the last to the
/// first in blocks of sixteen, and within a block column after column, each as long as the triangle is there. A block's
/// rows are the lanes of one accumulator, so that no sum runs across lanes until the very end. Nothing is padded: d (d
/// + 1) / 2 values.
/// </summary>
internal static class TriangleBlocks
{
    /// <summary>Lanes of -1 followed by lanes of 0: read from 16 - n, n lanes are kept.</summary>
    private static ReadOnlySpan<int> Masks =>
        [
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            -1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];

    /// <summary>Values behind a triangle, and behind its scales, that are read and not used.</summary>
    public const int Overread = 15;

    /// <summary>
    /// Rounds a triangle to 16 bits with one scale a row: W = scale * integer. A scale a row costs little and makes the
    /// error of a row follow its own size: rows of dimensions that hardly vary are larger than others by orders of
    /// magnitude.
    /// </summary>
    /// <param name="triangle">W, packed by columns (<see cref="PackedTriangle"/>).</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="blocks">Takes the integers, length d (d + 1) / 2.</param>
    /// <param name="scales">Takes the scales in bfloat16, length d, last row first.</param>
    public static void Quantise(ReadOnlySpan<double> triangle, int d, Span<short> blocks, Span<ushort> scales)
    {
        for (var r = 0; r < d; r++)
        {
            var row = d - 1 - r;
            var largest = 0.0;
            for (int j = 0, at = 0; j <= row; at += d - j++)
                largest = Math.Max(largest, Math.Abs(triangle[at + row - j]));
            scales[r] = RoundUpToBFloat16((float)(largest / short.MaxValue));
        }
        var next = 0;
        for (var first = 0; first < d; first += ILanes<Lanes512>.Count)
        for (int j = 0, at = 0; j < d - first; at += d - j++)
        for (var r = first; r < Math.Min(first + ILanes<Lanes512>.Count, d - j); r++)
        {
            var value = triangle[at + d - 1 - r - j] / ToSingle(scales[r]);
            blocks[next++] = (short)Math.Clamp(Math.Round(value), -short.MaxValue, short.MaxValue);
        }
    }

    /// <summary>The triangle, packed by columns, that <see cref="Quantise"/> has kept.</summary>
    public static void Restore(ReadOnlySpan<short> blocks, ReadOnlySpan<ushort> scales, Span<float> triangle)
    {
        var d = scales.Length;
        var next = 0;
        for (var first = 0; first < d; first += ILanes<Lanes512>.Count)
        for (int j = 0, at = 0; j < d - first; at += d - j++)
        for (var r = first; r < Math.Min(first + ILanes<Lanes512>.Count, d - j); r++)
            triangle[at + d - 1 - r - j] = blocks[next++] * ToSingle(scales[r]);
    }

    /// <summary>
    /// |W x| of several vectors. Allocates nothing; reads <see cref="Overread"/> values beyond the triangle and its
    /// scales.
    /// </summary>
    /// <param name="blocks">The first integer.</param>
    /// <param name="scales">The first scale.</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="vectors">Shape <c>(norms.Length, d)</c>.</param>
    /// <param name="norms">Takes the norms.</param>
    public static void ComputeNorms(
        ref readonly short blocks,
        ref readonly ushort scales,
        int d,
        ReadOnlySpan<float> vectors,
        Span<float> norms
    )
    {
        if (Vector512.IsHardwareAccelerated)
            ComputeNorms<Lanes512>(in blocks, in scales, d, vectors, norms);
        else if (Vector256.IsHardwareAccelerated)
            ComputeNorms<Lanes256>(in blocks, in scales, d, vectors, norms);
        else
            ComputeNorms<Lanes128>(in blocks, in scales, d, vectors, norms);
    }

    /// <summary>As above, in lanes of one kind.</summary>
    internal static void ComputeNorms<TLanes>(
        ref readonly short blocks,
        ref readonly ushort scales,
        int d,
        ReadOnlySpan<float> vectors,
        Span<float> norms
    )
        where TLanes : struct, ILanes<TLanes>
    {
        ref var x = ref MemoryMarshal.GetReference(vectors);
        var i = 0;
        for (; i + 4 <= norms.Length; i += 4)
            ComputeFourNorms<TLanes>(in blocks, in scales, d, ref Unsafe.Add(ref x, i * d), ref norms[i]);
        for (; i < norms.Length; i++)
            norms[i] = ComputeNorm<TLanes>(in blocks, in scales, d, ref Unsafe.Add(ref x, i * d));
    }

    /// <summary>
    /// Four columns at a time, each with a sum of its own: one chain of additions would wait for itself.
    /// </summary>
    private static float ComputeNorm<TLanes>(ref readonly short blocks, ref readonly ushort scales, int d, ref float x)
        where TLanes : struct, ILanes<TLanes>
    {
        ref var at = ref Unsafe.AsRef(in blocks);
        TLanes squares = default;
        for (var first = 0; first < d; first += ILanes<TLanes>.Count)
        {
            TLanes a = default,
                b = default,
                c = default,
                e = default;
            var whole = Math.Max(0, d - first - Overread);
            var columns = d - first;
            var j = 0;
            for (; j + 4 <= whole; j += 4)
            {
                a = TLanes.Widen(in at).MultiplyAdd(Unsafe.Add(ref x, j), a);
                b = TLanes.Widen(in Unsafe.Add(ref at, 16)).MultiplyAdd(Unsafe.Add(ref x, j + 1), b);
                c = TLanes.Widen(in Unsafe.Add(ref at, 32)).MultiplyAdd(Unsafe.Add(ref x, j + 2), c);
                e = TLanes.Widen(in Unsafe.Add(ref at, 48)).MultiplyAdd(Unsafe.Add(ref x, j + 3), e);
                at = ref Unsafe.Add(ref at, 64);
            }
            for (; j < columns; j++)
            {
                var length = Math.Min(ILanes<TLanes>.Count, columns - j);
                a = TLanes.Widen(in at, in GetMask(length)).MultiplyAdd(Unsafe.Add(ref x, j), a);
                at = ref Unsafe.Add(ref at, length);
            }
            squares = a.Add(b)
                .Add(c.Add(e))
                .Scale(in Unsafe.Add(ref Unsafe.AsRef(in scales), first))
                .SquareAdd(squares);
        }
        return MathF.Sqrt(squares.Sum());
    }

    /// <summary>One column at a time for four vectors: what is read and widened once serves all of them.</summary>
    private static void ComputeFourNorms<TLanes>(
        ref readonly short blocks,
        ref readonly ushort scales,
        int d,
        ref float x,
        ref float norms
    )
        where TLanes : struct, ILanes<TLanes>
    {
        ref var at = ref Unsafe.AsRef(in blocks);
        ref var y = ref Unsafe.Add(ref x, d);
        ref var z = ref Unsafe.Add(ref y, d);
        ref var w = ref Unsafe.Add(ref z, d);
        TLanes squaresX = default,
            squaresY = default,
            squaresZ = default,
            squaresW = default;
        for (var first = 0; first < d; first += ILanes<TLanes>.Count)
        {
            TLanes a = default,
                b = default,
                c = default,
                e = default;
            var whole = Math.Max(0, d - first - Overread);
            var columns = d - first;
            var j = 0;
            for (; j < whole; j++)
            {
                var column = TLanes.Widen(in at);
                a = column.MultiplyAdd(Unsafe.Add(ref x, j), a);
                b = column.MultiplyAdd(Unsafe.Add(ref y, j), b);
                c = column.MultiplyAdd(Unsafe.Add(ref z, j), c);
                e = column.MultiplyAdd(Unsafe.Add(ref w, j), e);
                at = ref Unsafe.Add(ref at, ILanes<TLanes>.Count);
            }
            for (; j < columns; j++)
            {
                var length = Math.Min(ILanes<TLanes>.Count, columns - j);
                var column = TLanes.Widen(in at, in GetMask(length));
                a = column.MultiplyAdd(Unsafe.Add(ref x, j), a);
                b = column.MultiplyAdd(Unsafe.Add(ref y, j), b);
                c = column.MultiplyAdd(Unsafe.Add(ref z, j), c);
                e = column.MultiplyAdd(Unsafe.Add(ref w, j), e);
                at = ref Unsafe.Add(ref at, length);
            }
            ref readonly var scale = ref Unsafe.Add(ref Unsafe.AsRef(in scales), first);
            squaresX = a.Scale(in scale).SquareAdd(squaresX);
            squaresY = b.Scale(in scale).SquareAdd(squaresY);
            squaresZ = c.Scale(in scale).SquareAdd(squaresZ);
            squaresW = e.Scale(in scale).SquareAdd(squaresW);
        }
        norms = MathF.Sqrt(squaresX.Sum());
        Unsafe.Add(ref norms, 1) = MathF.Sqrt(squaresY.Sum());
        Unsafe.Add(ref norms, 2) = MathF.Sqrt(squaresZ.Sum());
        Unsafe.Add(ref norms, 3) = MathF.Sqrt(squaresW.Sum());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref readonly int GetMask(int lanes) =>
        ref Unsafe.Add(ref MemoryMarshal.GetReference(Masks), ILanes<Lanes512>.Count - lanes);

    /// <summary>A bfloat16 as float32.</summary>
    internal static float ToSingle(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>The smallest bfloat16 that is not below a positive value: no integer may pass 16 bits.</summary>
    private static ushort RoundUpToBFloat16(float value) =>
        (ushort)((BitConverter.SingleToUInt32Bits(value) + 0xffff) >> 16);
}
