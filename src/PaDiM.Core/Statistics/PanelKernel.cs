using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Core.Statistics;

/// <summary>
/// The one product behind scatters, factors, inverses and leave-one-out distances: four columns of a result at a time,
/// each a combination of the same columns of a matrix. All matrices lie column after column, a <see cref="GetStride"/>
/// apart, in float64.
/// </summary>
internal static class PanelKernel
{
    /// <summary>Columns of a panel.</summary>
    public const int Width = 4;

    /// <summary>Rows come in multiples of this, the rest is zeros: whole vectors are read and written.</summary>
    private const int RowMultiple = 8;

    /// <summary>Values from one column of d rows to the next.</summary>
    public static int GetStride(int d) => (d + RowMultiple - 1) / RowMultiple * RowMultiple;

    /// <summary>Columns of d columns in whole panels; never above <see cref="GetStride"/>.</summary>
    public static int GetPaddedColumns(int d) => (d + Width - 1) / Width * Width;

    /// <summary>The first of the rows that are read and written together with a row.</summary>
    public static int AlignRow(int row) => row / RowMultiple * RowMultiple;

    /// <summary>
    /// For c in 0..3 and rows i from <see cref="AlignRow"/>(fromRow): sum over k in 0..count-1 of matrix[i, k] *
    /// factor(k, c), which becomes target[i, c], or is subtracted from it. Rows are done from the last to the first,
    /// each block of them read whole before it is written: with a lower triangle, factors may lie in the target itself.
    /// </summary>
    /// <param name="matrix">Column 0 of the matrix, from row 0.</param>
    /// <param name="stride">From column to column, of matrix and target.</param>
    /// <param name="fromRow">First row.</param>
    /// <param name="factors">factor(0, 0).</param>
    /// <param name="nextFactor">From factor(k, c) to factor(k + 1, c).</param>
    /// <param name="nextColumn">From factor(k, c) to factor(k, c + 1).</param>
    /// <param name="count">Columns of the matrix.</param>
    /// <param name="diagonal">Row of the first column's diagonal entry where the matrix is a lower triangle, zeros
    /// stored above: what is known to be zero is left out. Below 0 for a full matrix.</param>
    /// <param name="target">Column 0 of the target, from row 0.</param>
    /// <param name="subtract">Subtract from the target in place of overwriting it.</param>
    public static void Multiply(
        Span<double> matrix,
        int stride,
        int fromRow,
        Span<double> factors,
        int nextFactor,
        int nextColumn,
        int count,
        int diagonal,
        Span<double> target,
        bool subtract
    )
    {
        ref var a = ref MemoryMarshal.GetReference(matrix);
        ref var f = ref MemoryMarshal.GetReference(factors);
        ref var t = ref MemoryMarshal.GetReference(target);
        if (Vector512.IsHardwareAccelerated)
            Multiply<PanelLanes512>(
                ref a,
                stride,
                AlignRow(fromRow),
                ref f,
                nextFactor,
                nextColumn,
                count,
                diagonal,
                ref t,
                subtract
            );
        else
            Multiply<PanelLanes256>(
                ref a,
                stride,
                AlignRow(fromRow),
                ref f,
                nextFactor,
                nextColumn,
                count,
                diagonal,
                ref t,
                subtract
            );
    }

    internal static void Multiply<TLanes>(
        ref double matrix,
        int stride,
        int fromRow,
        ref double factors,
        int nextFactor,
        int nextColumn,
        int count,
        int diagonal,
        ref double target,
        bool subtract
    )
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var lanes = TLanes.Count;
        var row = stride;
        for (; row - 2 * lanes >= fromRow; row -= 2 * lanes)
        {
            var first = row - 2 * lanes;
            MultiplyTwoVectors<TLanes>(
                ref Unsafe.Add(ref matrix, first),
                stride,
                ref factors,
                nextFactor,
                nextColumn,
                Limit(row),
                ref Unsafe.Add(ref target, first),
                subtract
            );
        }
        for (; row > fromRow; row -= lanes)
        {
            var first = row - lanes;
            MultiplyOneVector<TLanes>(
                ref Unsafe.Add(ref matrix, first),
                stride,
                ref factors,
                nextFactor,
                nextColumn,
                Limit(row),
                ref Unsafe.Add(ref target, first),
                subtract
            );
        }

        int Limit(int end) => diagonal < 0 ? count : Math.Clamp(end - diagonal, 0, count);
    }

    /// <summary>
    /// Two vectors of rows by four columns stay in registers: each value read serves four products, or two.
    /// </summary>
    private static void MultiplyTwoVectors<TLanes>(
        ref double matrix,
        int stride,
        ref double factor,
        int nextFactor,
        int nextColumn,
        int count,
        ref double target,
        bool subtract
    )
        where TLanes : struct, IPanelLanes<TLanes>
    {
        TLanes a0 = default,
            a1 = default,
            b0 = default,
            b1 = default,
            c0 = default,
            c1 = default,
            e0 = default,
            e1 = default;
        var lanes = TLanes.Count;
        for (var k = 0; k < count; k++)
        {
            var upper = TLanes.Load(ref matrix);
            var lower = TLanes.Load(ref Unsafe.Add(ref matrix, lanes));
            var x = TLanes.Create(factor);
            a0 = TLanes.MultiplyAdd(upper, x, a0);
            a1 = TLanes.MultiplyAdd(lower, x, a1);
            x = TLanes.Create(Unsafe.Add(ref factor, nextColumn));
            b0 = TLanes.MultiplyAdd(upper, x, b0);
            b1 = TLanes.MultiplyAdd(lower, x, b1);
            x = TLanes.Create(Unsafe.Add(ref factor, 2 * nextColumn));
            c0 = TLanes.MultiplyAdd(upper, x, c0);
            c1 = TLanes.MultiplyAdd(lower, x, c1);
            x = TLanes.Create(Unsafe.Add(ref factor, 3 * nextColumn));
            e0 = TLanes.MultiplyAdd(upper, x, e0);
            e1 = TLanes.MultiplyAdd(lower, x, e1);
            matrix = ref Unsafe.Add(ref matrix, stride);
            factor = ref Unsafe.Add(ref factor, nextFactor);
        }
        Write(a0, ref target, subtract);
        Write(a1, ref Unsafe.Add(ref target, lanes), subtract);
        Write(b0, ref Unsafe.Add(ref target, stride), subtract);
        Write(b1, ref Unsafe.Add(ref target, stride + lanes), subtract);
        Write(c0, ref Unsafe.Add(ref target, 2 * stride), subtract);
        Write(c1, ref Unsafe.Add(ref target, 2 * stride + lanes), subtract);
        Write(e0, ref Unsafe.Add(ref target, 3 * stride), subtract);
        Write(e1, ref Unsafe.Add(ref target, 3 * stride + lanes), subtract);
    }

    /// <summary>The same for the one vector of rows that may be left.</summary>
    private static void MultiplyOneVector<TLanes>(
        ref double matrix,
        int stride,
        ref double factor,
        int nextFactor,
        int nextColumn,
        int count,
        ref double target,
        bool subtract
    )
        where TLanes : struct, IPanelLanes<TLanes>
    {
        TLanes a = default,
            b = default,
            c = default,
            e = default;
        for (var k = 0; k < count; k++)
        {
            var rows = TLanes.Load(ref matrix);
            a = TLanes.MultiplyAdd(rows, TLanes.Create(factor), a);
            b = TLanes.MultiplyAdd(rows, TLanes.Create(Unsafe.Add(ref factor, nextColumn)), b);
            c = TLanes.MultiplyAdd(rows, TLanes.Create(Unsafe.Add(ref factor, 2 * nextColumn)), c);
            e = TLanes.MultiplyAdd(rows, TLanes.Create(Unsafe.Add(ref factor, 3 * nextColumn)), e);
            matrix = ref Unsafe.Add(ref matrix, stride);
            factor = ref Unsafe.Add(ref factor, nextFactor);
        }
        Write(a, ref target, subtract);
        Write(b, ref Unsafe.Add(ref target, stride), subtract);
        Write(c, ref Unsafe.Add(ref target, 2 * stride), subtract);
        Write(e, ref Unsafe.Add(ref target, 3 * stride), subtract);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<TLanes>(TLanes value, ref double target, bool subtract)
        where TLanes : struct, IPanelLanes<TLanes>
    {
        if (subtract)
            TLanes.Subtract(TLanes.Load(ref target), value).Store(ref target);
        else
            value.Store(ref target);
    }
}
