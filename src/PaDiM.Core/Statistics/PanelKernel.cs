using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Core.Statistics;

/// <summary>
/// The product behind scatters, factors, inverses and leave-one-out distances: four columns of a result at a time, each
/// a combination of the columns of one matrix. All matrices are column-major in float64, <see cref="GetStride"/> values
/// per column.
/// </summary>
internal static class PanelKernel
{
    /// <summary>Number of columns of a panel.</summary>
    public const int Width = 4;

    /// <summary>
    /// Rows are padded with zeros to a multiple of this, the doubles in the widest vector (512 bits), so that only
    /// whole vectors are read and written and no kernel has a remainder.
    /// </summary>
    private const int RowMultiple = 8;

    /// <summary>Gets the number of values from one column of d rows to the next.</summary>
    public static int GetStride(int d) => (d + RowMultiple - 1) / RowMultiple * RowMultiple;

    /// <summary>Gets d rounded up to whole panels; at most <see cref="GetStride"/>.</summary>
    public static int GetPaddedColumns(int d) => (d + Width - 1) / Width * Width;

    /// <summary>Gets the first of the rows that share a vector with a row.</summary>
    public static int AlignRow(int row) => row / RowMultiple * RowMultiple;

    /// <summary>
    /// For c in 0..3 and rows i from <see cref="AlignRow"/>(fromRow), computes the sum over k in 0..count-1 of
    /// matrix[i, k] * factor(k, c), and overwrites target[i, c] with it or subtracts it. Rows are done from the last to
    /// the first, and each block of rows is read completely before it is written: with a lower triangle, the factors
    /// may be in the target itself.
    /// </summary>
    /// <param name="matrix">Column 0 of the matrix, from row 0.</param>
    /// <param name="stride">Values per column of matrix and target.</param>
    /// <param name="fromRow">First row.</param>
    /// <param name="factors">Starts with factor(0, 0).</param>
    /// <param name="nextFactor">Values from factor(k, c) to factor(k + 1, c).</param>
    /// <param name="nextColumn">Values from factor(k, c) to factor(k, c + 1).</param>
    /// <param name="count">Number of columns of the matrix.</param>
    /// <param name="diagonal">For a lower triangle with zeros stored above the diagonal, the row of the first column's
    /// diagonal entry: columns that are known to be zero are skipped. Negative for a full matrix.</param>
    /// <param name="target">Column 0 of the target, from row 0.</param>
    /// <param name="subtract">True to subtract from the target, false to overwrite it.</param>
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
        ref var matrixStart = ref MemoryMarshal.GetReference(matrix);
        ref var factorStart = ref MemoryMarshal.GetReference(factors);
        ref var targetStart = ref MemoryMarshal.GetReference(target);
        // The width does not change a bit: each lane sums its own row in the same order (see IPanelLanes).
        if (Vector512.IsHardwareAccelerated)
            Multiply<PanelLanes512>(
                ref matrixStart,
                stride,
                AlignRow(fromRow),
                ref factorStart,
                nextFactor,
                nextColumn,
                count,
                diagonal,
                ref targetStart,
                subtract
            );
        else
            Multiply<PanelLanesNative>(
                ref matrixStart,
                stride,
                AlignRow(fromRow),
                ref factorStart,
                nextFactor,
                nextColumn,
                count,
                diagonal,
                ref targetStart,
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
        // row is the end of the rows still to do. The stride and the aligned first row are multiples of every vector's
        // length, so no scalar remainder is left.
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

        // Column k of a lower triangle starts in row diagonal + k: rows below end need columns up to end - diagonal
        // only.
        int Limit(int end) => diagonal < 0 ? count : Math.Clamp(end - diagonal, 0, count);
    }

    /// <summary>
    /// Multiplies two vectors of rows by four columns, with all eight sums in registers: each matrix value that is read
    /// serves four products, and each factor two.
    /// </summary>
    /// <remarks>
    /// The scalar equivalent, for rows i of the two vectors: <c>sum[i, c] += matrix[i, k] * factor(k, c)</c>.
    /// </remarks>
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
        // sumCV: column C of the result, vector V of the rows. A lane is one entry of the result.
        TLanes sum00 = default,
            sum01 = default,
            sum10 = default,
            sum11 = default,
            sum20 = default,
            sum21 = default,
            sum30 = default,
            sum31 = default;
        var lanes = TLanes.Count;
        for (var k = 0; k < count; k++)
        {
            // Column k: the two vectors of rows are read once, each factor is spread over all lanes.
            var rows0 = TLanes.Load(ref matrix);
            var rows1 = TLanes.Load(ref Unsafe.Add(ref matrix, lanes));
            var x = TLanes.Create(factor);
            sum00 = TLanes.MultiplyAdd(rows0, x, sum00);
            sum01 = TLanes.MultiplyAdd(rows1, x, sum01);
            x = TLanes.Create(Unsafe.Add(ref factor, nextColumn));
            sum10 = TLanes.MultiplyAdd(rows0, x, sum10);
            sum11 = TLanes.MultiplyAdd(rows1, x, sum11);
            x = TLanes.Create(Unsafe.Add(ref factor, 2 * nextColumn));
            sum20 = TLanes.MultiplyAdd(rows0, x, sum20);
            sum21 = TLanes.MultiplyAdd(rows1, x, sum21);
            x = TLanes.Create(Unsafe.Add(ref factor, 3 * nextColumn));
            sum30 = TLanes.MultiplyAdd(rows0, x, sum30);
            sum31 = TLanes.MultiplyAdd(rows1, x, sum31);
            matrix = ref Unsafe.Add(ref matrix, stride);
            factor = ref Unsafe.Add(ref factor, nextFactor);
        }
        Write(sum00, ref target, subtract);
        Write(sum01, ref Unsafe.Add(ref target, lanes), subtract);
        Write(sum10, ref Unsafe.Add(ref target, stride), subtract);
        Write(sum11, ref Unsafe.Add(ref target, stride + lanes), subtract);
        Write(sum20, ref Unsafe.Add(ref target, 2 * stride), subtract);
        Write(sum21, ref Unsafe.Add(ref target, 2 * stride + lanes), subtract);
        Write(sum30, ref Unsafe.Add(ref target, 3 * stride), subtract);
        Write(sum31, ref Unsafe.Add(ref target, 3 * stride + lanes), subtract);
    }

    /// <summary>Multiplies the one vector of rows that may be left by four columns.</summary>
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
        TLanes sum0 = default,
            sum1 = default,
            sum2 = default,
            sum3 = default;
        for (var k = 0; k < count; k++)
        {
            var rows = TLanes.Load(ref matrix);
            sum0 = TLanes.MultiplyAdd(rows, TLanes.Create(factor), sum0);
            sum1 = TLanes.MultiplyAdd(rows, TLanes.Create(Unsafe.Add(ref factor, nextColumn)), sum1);
            sum2 = TLanes.MultiplyAdd(rows, TLanes.Create(Unsafe.Add(ref factor, 2 * nextColumn)), sum2);
            sum3 = TLanes.MultiplyAdd(rows, TLanes.Create(Unsafe.Add(ref factor, 3 * nextColumn)), sum3);
            matrix = ref Unsafe.Add(ref matrix, stride);
            factor = ref Unsafe.Add(ref factor, nextFactor);
        }
        Write(sum0, ref target, subtract);
        Write(sum1, ref Unsafe.Add(ref target, stride), subtract);
        Write(sum2, ref Unsafe.Add(ref target, 2 * stride), subtract);
        Write(sum3, ref Unsafe.Add(ref target, 3 * stride), subtract);
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
