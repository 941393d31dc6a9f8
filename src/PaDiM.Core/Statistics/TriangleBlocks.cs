using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A lower triangle of 16-bit integers in the order in which a product reads it: rows from the last to the first in
/// blocks of sixteen, and within a block column after column, each as long as the triangle is there. The rows of a
/// block are the lanes of one accumulator, so no sum runs across lanes until the very end. Nothing is padded: the
/// triangle has d (d + 1) / 2 values.
/// </summary>
internal static class TriangleBlocks
{
    /// <summary>Values after a triangle, and after its scales, that are read but not used.</summary>
    public const int ReadAhead = 15;

    /// <summary>Rows of a block, which are the lanes of an accumulator.</summary>
    private const int BlockRows = ILanes<Lanes512>.Count;

    /// <summary>Sixteen lanes of -1, then sixteen of 0. Read from index 16 - n, the first n lanes are kept.</summary>
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

    /// <summary>
    /// Rounds a triangle to 16 bits with one scale per row: W = scale * integer. A scale per row costs little, and the
    /// error of a row then follows its own size: rows of dimensions that hardly vary are larger than others by orders
    /// of magnitude.
    /// </summary>
    /// <param name="triangle">W, packed by columns (<see cref="PackedTriangle"/>).</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="blocks">Receives the integers, length d (d + 1) / 2.</param>
    /// <param name="scales">Receives the scales in bfloat16, length d, last row first.</param>
    public static void Quantise(ReadOnlySpan<double> triangle, int d, Span<short> blocks, Span<ushort> scales)
    {
        // r counts rows from the last: r = 0 is row d - 1, which is the longest.
        for (var r = 0; r < d; r++)
        {
            var row = d - 1 - r;
            var largest = 0.0;
            foreach (var column in PackedTriangle.Columns(d, row + 1))
                largest = Math.Max(largest, Math.Abs(triangle[column.GetEntry(row)]));
            scales[r] = RoundUpToBFloat16((float)(largest / short.MaxValue));
        }
        var next = 0;
        for (var first = 0; first < d; first += BlockRows)
            foreach (var column in PackedTriangle.Columns(d, d - first))
                for (var r = first; r < GetEnd(first, d, column); r++)
                {
                    var scale = ToSingle(scales[r]);
                    // A row of zeros has scale 0.
                    var value = scale > 0 ? triangle[column.GetEntry(d - 1 - r)] / scale : 0;
                    blocks[next++] = (short)Math.Clamp(Math.Round(value), -short.MaxValue, short.MaxValue);
                }
    }

    /// <summary>Restores the triangle, packed by columns, that <see cref="Quantise"/> rounded.</summary>
    public static void Restore(ReadOnlySpan<short> blocks, ReadOnlySpan<ushort> scales, Span<float> triangle)
    {
        var d = scales.Length;
        var next = 0;
        for (var first = 0; first < d; first += BlockRows)
            foreach (var column in PackedTriangle.Columns(d, d - first))
                for (var r = first; r < GetEnd(first, d, column); r++)
                    triangle[column.GetEntry(d - 1 - r)] = blocks[next++] * ToSingle(scales[r]);
    }

    /// <summary>
    /// Computes |W x| for several vectors. Allocates nothing. Reads <see cref="ReadAhead"/> values after the triangle
    /// and after its scales.
    /// </summary>
    /// <param name="blocks">The first integer.</param>
    /// <param name="scales">The first scale.</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="vectors">Shape <c>(norms.Length, d)</c>.</param>
    /// <param name="norms">Receives the norms.</param>
    public static void ComputeNorms(
        ref readonly short blocks,
        ref readonly ushort scales,
        int d,
        ReadOnlySpan<float> vectors,
        Span<float> norms
    )
    {
        // The JIT knows the answers when it compiles this method: only one branch is left.
        if (Vector512.IsHardwareAccelerated)
            ComputeNorms<Lanes512>(in blocks, in scales, d, vectors, norms);
        else if (Vector256.IsHardwareAccelerated)
            ComputeNorms<Lanes256>(in blocks, in scales, d, vectors, norms);
        else
            ComputeNorms<Lanes128>(in blocks, in scales, d, vectors, norms);
    }

    /// <summary>Computes |W x| for several vectors, in lanes of one kind.</summary>
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
    /// Computes |W x| for one vector, four columns at a time, each with its own sum: in a single chain, every addition
    /// would wait for the one before it.
    /// </summary>
    /// <remarks>
    /// The scalar equivalent, with <c>q</c> the integers and <c>s</c> the scales:
    /// <c>y[r] = s[r] * sum over j of q[r, j] * x[j]</c>, and the result is <c>sqrt(sum over r of y[r]^2)</c>.
    /// </remarks>
    private static float ComputeNorm<TLanes>(ref readonly short blocks, ref readonly ushort scales, int d, ref float x)
        where TLanes : struct, ILanes<TLanes>
    {
        ref var next = ref Unsafe.AsRef(in blocks);
        // Lane l sums the squares of rows l, l + 16, l + 32 and so on, counted from the last row.
        TLanes squares = default;
        for (var first = 0; first < d; first += ILanes<TLanes>.Count)
        {
            // Lane l of sum0 to sum3 belongs to row first + l, counted from the last row. They split its columns.
            TLanes sum0 = default,
                sum1 = default,
                sum2 = default,
                sum3 = default;
            // The block's last row is the longest and has d - first columns. Its first row, 15 rows up, has 15 fewer:
            // up to there all sixteen lanes hold an entry of the triangle.
            var columns = d - first;
            var fullColumns = Math.Max(0, columns - ReadAhead);
            var j = 0;
            for (; j + 4 <= fullColumns; j += 4)
            {
                // sumN += q[.., j + N] * x[j + N]; a full column is sixteen integers long.
                sum0 = TLanes.Widen(in next).MultiplyAdd(Unsafe.Add(ref x, j), sum0);
                sum1 = TLanes.Widen(in Unsafe.Add(ref next, 16)).MultiplyAdd(Unsafe.Add(ref x, j + 1), sum1);
                sum2 = TLanes.Widen(in Unsafe.Add(ref next, 32)).MultiplyAdd(Unsafe.Add(ref x, j + 2), sum2);
                sum3 = TLanes.Widen(in Unsafe.Add(ref next, 48)).MultiplyAdd(Unsafe.Add(ref x, j + 3), sum3);
                next = ref Unsafe.Add(ref next, 64);
            }
            // Up to three full columns that are left, then the corner of the triangle, whose columns shorten by one
            // entry each. A load always takes sixteen integers: those after the column's end belong to the next
            // columns, or are read ahead after the last one, and the mask turns them into 0.
            for (; j < columns; j++)
            {
                var length = Math.Min(ILanes<TLanes>.Count, columns - j);
                sum0 = TLanes.Widen(in next, in GetMask(length)).MultiplyAdd(Unsafe.Add(ref x, j), sum0);
                next = ref Unsafe.Add(ref next, length);
            }
            // In the last block, lanes past row 0 hold 0. The scales that are read for them are finite: they belong to
            // the next position, or they are the zeros of a scratch copy.
            squares = sum0.Add(sum1)
                .Add(sum2.Add(sum3))
                .Scale(in Unsafe.Add(ref Unsafe.AsRef(in scales), first))
                .SquareAdd(squares);
        }
        return MathF.Sqrt(squares.Sum());
    }

    /// <summary>
    /// Computes |W x| for four vectors, one column at a time: integers that are read and widened once serve all four.
    /// The four sums are independent, so no column needs more than one accumulator per vector.
    /// </summary>
    private static void ComputeFourNorms<TLanes>(
        ref readonly short blocks,
        ref readonly ushort scales,
        int d,
        ref float vectors,
        ref float norms
    )
        where TLanes : struct, ILanes<TLanes>
    {
        ref var next = ref Unsafe.AsRef(in blocks);
        ref var x0 = ref vectors;
        ref var x1 = ref Unsafe.Add(ref x0, d);
        ref var x2 = ref Unsafe.Add(ref x1, d);
        ref var x3 = ref Unsafe.Add(ref x2, d);
        TLanes squares0 = default,
            squares1 = default,
            squares2 = default,
            squares3 = default;
        for (var first = 0; first < d; first += ILanes<TLanes>.Count)
        {
            // Lane l of sumN is entry first + l of W xN, counted from the last row.
            TLanes sum0 = default,
                sum1 = default,
                sum2 = default,
                sum3 = default;
            // See ComputeNorm for full columns, masks and the values read ahead.
            var columns = d - first;
            var fullColumns = Math.Max(0, columns - ReadAhead);
            var j = 0;
            for (; j < fullColumns; j++)
            {
                var column = TLanes.Widen(in next);
                sum0 = column.MultiplyAdd(Unsafe.Add(ref x0, j), sum0);
                sum1 = column.MultiplyAdd(Unsafe.Add(ref x1, j), sum1);
                sum2 = column.MultiplyAdd(Unsafe.Add(ref x2, j), sum2);
                sum3 = column.MultiplyAdd(Unsafe.Add(ref x3, j), sum3);
                next = ref Unsafe.Add(ref next, ILanes<TLanes>.Count);
            }
            for (; j < columns; j++)
            {
                var length = Math.Min(ILanes<TLanes>.Count, columns - j);
                var column = TLanes.Widen(in next, in GetMask(length));
                sum0 = column.MultiplyAdd(Unsafe.Add(ref x0, j), sum0);
                sum1 = column.MultiplyAdd(Unsafe.Add(ref x1, j), sum1);
                sum2 = column.MultiplyAdd(Unsafe.Add(ref x2, j), sum2);
                sum3 = column.MultiplyAdd(Unsafe.Add(ref x3, j), sum3);
                next = ref Unsafe.Add(ref next, length);
            }
            ref readonly var scale = ref Unsafe.Add(ref Unsafe.AsRef(in scales), first);
            squares0 = sum0.Scale(in scale).SquareAdd(squares0);
            squares1 = sum1.Scale(in scale).SquareAdd(squares1);
            squares2 = sum2.Scale(in scale).SquareAdd(squares2);
            squares3 = sum3.Scale(in scale).SquareAdd(squares3);
        }
        norms = MathF.Sqrt(squares0.Sum());
        Unsafe.Add(ref norms, 1) = MathF.Sqrt(squares1.Sum());
        Unsafe.Add(ref norms, 2) = MathF.Sqrt(squares2.Sum());
        Unsafe.Add(ref norms, 3) = MathF.Sqrt(squares3.Sum());
    }

    /// <summary>
    /// Gets the end of a column's rows in the block that starts with row <paramref name="first"/>, both counted from
    /// the last row: column j has d - j rows.
    /// </summary>
    private static int GetEnd(int first, int d, PackedColumn column) => Math.Min(first + BlockRows, d - column.Index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref readonly int GetMask(int lanes) =>
        ref Unsafe.Add(ref MemoryMarshal.GetReference(Masks), BlockRows - lanes);

    /// <summary>Converts a bfloat16 to float32: it is the upper half of the bits.</summary>
    internal static float ToSingle(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>Gets the smallest bfloat16 that is not below a positive value, so that no integer exceeds 16
    /// bits.</summary>
    private static ushort RoundUpToBFloat16(float value) =>
        (ushort)((BitConverter.SingleToUInt32Bits(value) + 0xffff) >> 16);
}
