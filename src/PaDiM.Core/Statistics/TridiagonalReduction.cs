using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Core.Statistics;

/// <summary>
/// Reduces symmetric matrices to a <see cref="TridiagonalForm"/>. The buffers of one worker; not thread-safe.
/// </summary>
/// <remarks>
/// Works on the lower triangle, with whole blocks of 8 x 8 on the diagonal, which fits into the first-level cache for
/// 100 dimensions. Each step applies the update of the step before and multiplies by its own reflector in one pass over
/// the columns, four at a time: four multiply-adds for each value that is read.
/// </remarks>
/// <param name="d">Dimensions.</param>
internal sealed class TridiagonalReduction(int d)
{
    private readonly int _stride = PanelKernel.GetStride(d);
    private readonly double[] _square = new double[PanelKernel.GetPaddedColumns(d) * PanelKernel.GetStride(d)],
        _product = new double[PanelKernel.GetStride(d)];

    // The update A - v w^T - w v^T that the columns still lack.
    private double[] _v = new double[PanelKernel.GetStride(d)],
        _w = new double[PanelKernel.GetStride(d)],
        _reflector = new double[PanelKernel.GetStride(d)];

    /// <summary>
    /// Reduces a packed lower triangle in place. In column k, entry 0 becomes T's diagonal, entry 1 the value below it,
    /// and the others the vector of the reflector, whose first entry is 1 and not stored. Cost: <c>2/3
    /// d^3</c> multiply-adds.
    /// </summary>
    /// <param name="packed">The matrix; see <see cref="PackedTriangle"/>.</param>
    /// <param name="factors">Receives the factor of each reflection, length d; 0 where there is none.</param>
    public void Reduce(Span<double> packed, Span<double> factors)
    {
        Load(packed);
        foreach (var column in PackedTriangle.Columns(d))
        {
            var k = column.Index;
            var current = _square.AsSpan(k * _stride, d)[k..];
            TensorPrimitives.MultiplyAdd(_v.AsSpan(k, d - k), -_w[k], current, current);
            TensorPrimitives.MultiplyAdd(_w.AsSpan(k, d - k), -_v[k], current, current);
            var target = column.In(packed);
            target[0] = current[0];
            factors[k] = 0;
            // The last column has nothing below its diagonal.
            if (k == d - 1)
                break;
            (factors[k], target[1]) = FindReflector(current[1..], _reflector.AsSpan(k + 1, d - k - 1));
            _reflector.AsSpan(k + 2, d - k - 2).CopyTo(target[2..]);
            // p = A v, then w = factor p - (factor^2 / 2) (p^T v) v (Golub and Van Loan, section 8.3.1).
            UpdateAndMultiply(k + 1);
            _product.AsSpan(0, k + 1).Clear();
            TensorPrimitives.Multiply(_product, factors[k], _product);
            TensorPrimitives.MultiplyAdd(
                _reflector,
                -factors[k] / 2 * TensorPrimitives.Dot<double>(_product, _reflector),
                _product,
                _w
            );
            (_v, _reflector) = (_reflector, _v);
            _reflector.AsSpan(0, k + 2).Clear();
        }
    }

    /// <summary>
    /// Finds H = I - factor v v^T that maps a column to (beta, 0, ..., 0), with v[0] = 1. The sign of beta is opposite
    /// to that of the first value, so that nothing cancels (Golub and Van Loan, algorithm 5.1.1).
    /// </summary>
    private static (double Factor, double Beta) FindReflector(ReadOnlySpan<double> column, Span<double> v)
    {
        var alpha = column[0];
        var rest = TensorPrimitives.Norm(column[1..]);
        // The column is tridiagonal already.
        if (!(rest > 0))
        {
            v.Clear();
            return (0, alpha);
        }
        var beta = -Math.CopySign(double.Hypot(alpha, rest), alpha);
        TensorPrimitives.Divide(column[1..], alpha - beta, v[1..]);
        v[0] = 1;
        return ((beta - alpha) / beta, beta);
    }

    private void Load(ReadOnlySpan<double> packed)
    {
        foreach (var column in PackedTriangle.Columns(d))
        {
            var j = column.Index;
            var values = column.In(packed);
            values.CopyTo(_square.AsSpan(j * _stride + j));
            // The upper part of the block on the diagonal.
            for (var i = j + 1; i < Math.Min(GetBlockEnd(j), d); i++)
                _square[i * _stride + j] = values[i - j];
        }
        Array.Clear(_v);
        Array.Clear(_w);
        Array.Clear(_reflector);
    }

    /// <summary>Gets the row after the block on the diagonal.</summary>
    private static int GetBlockEnd(int j) => PanelKernel.GetStride(j + 1);

    /// <summary>
    /// Computes A = A - v w^T - w v^T and p = A reflector for the rows and columns from <paramref name="first"/> on. v
    /// and w are 0 before that, so the rows that share a vector with the first one keep their values.
    /// </summary>
    private void UpdateAndMultiply(int first)
    {
        Array.Clear(_product);
        for (var j = first / PanelKernel.Width * PanelKernel.Width; j < d; j += PanelKernel.Width)
            if (Vector512.IsHardwareAccelerated)
                UpdateAndMultiply<PanelLanes512>(j);
            else
                UpdateAndMultiply<PanelLanesNative>(j);
    }

    private void UpdateAndMultiply<TLanes>(int j)
        where TLanes : struct, IPanelLanes<TLanes>
    {
        ref var v = ref MemoryMarshal.GetArrayDataReference(_v);
        ref var w = ref MemoryMarshal.GetArrayDataReference(_w);
        ref var product = ref MemoryMarshal.GetArrayDataReference(_product);
        ref var column = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_square), j * _stride);
        // Padded columns are read and written too: their factors are 0, because the arrays are padded alike.
        TLanes v0 = TLanes.Create(-_v[j]),
            v1 = TLanes.Create(-_v[j + 1]),
            v2 = TLanes.Create(-_v[j + 2]),
            v3 = TLanes.Create(-_v[j + 3]),
            w0 = TLanes.Create(-_w[j]),
            w1 = TLanes.Create(-_w[j + 1]),
            w2 = TLanes.Create(-_w[j + 2]),
            w3 = TLanes.Create(-_w[j + 3]),
            r0 = TLanes.Create(_reflector[j]),
            r1 = TLanes.Create(_reflector[j + 1]),
            r2 = TLanes.Create(_reflector[j + 2]),
            r3 = TLanes.Create(_reflector[j + 3]);
        var end = GetBlockEnd(j);
        for (var i = PanelKernel.AlignRow(j); i < end; i += TLanes.Count)
        {
            var rowsV = TLanes.Load(ref Unsafe.Add(ref v, i));
            var rowsW = TLanes.Load(ref Unsafe.Add(ref w, i));
            ref var entries = ref Unsafe.Add(ref column, i);
            var sum = TLanes.Load(ref Unsafe.Add(ref product, i));
            sum = TLanes.MultiplyAdd(Update(ref entries, rowsV, w0, rowsW, v0), r0, sum);
            sum = TLanes.MultiplyAdd(Update(ref Unsafe.Add(ref entries, _stride), rowsV, w1, rowsW, v1), r1, sum);
            sum = TLanes.MultiplyAdd(Update(ref Unsafe.Add(ref entries, 2 * _stride), rowsV, w2, rowsW, v2), r2, sum);
            sum = TLanes.MultiplyAdd(Update(ref Unsafe.Add(ref entries, 3 * _stride), rowsV, w3, rowsW, v3), r3, sum);
            sum.Store(ref Unsafe.Add(ref product, i));
        }
        // Below the block, an entry serves twice: as A[i, j] for row i, and as A[j, i] for row j.
        ref var reflector = ref MemoryMarshal.GetArrayDataReference(_reflector);
        TLanes sum0 = default,
            sum1 = default,
            sum2 = default,
            sum3 = default;
        for (var i = end; i < _stride; i += TLanes.Count)
        {
            var rowsV = TLanes.Load(ref Unsafe.Add(ref v, i));
            var rowsW = TLanes.Load(ref Unsafe.Add(ref w, i));
            var rowsR = TLanes.Load(ref Unsafe.Add(ref reflector, i));
            ref var entries = ref Unsafe.Add(ref column, i);
            var sum = TLanes.Load(ref Unsafe.Add(ref product, i));
            var value = Update(ref entries, rowsV, w0, rowsW, v0);
            sum = TLanes.MultiplyAdd(value, r0, sum);
            sum0 = TLanes.MultiplyAdd(value, rowsR, sum0);
            value = Update(ref Unsafe.Add(ref entries, _stride), rowsV, w1, rowsW, v1);
            sum = TLanes.MultiplyAdd(value, r1, sum);
            sum1 = TLanes.MultiplyAdd(value, rowsR, sum1);
            value = Update(ref Unsafe.Add(ref entries, 2 * _stride), rowsV, w2, rowsW, v2);
            sum = TLanes.MultiplyAdd(value, r2, sum);
            sum2 = TLanes.MultiplyAdd(value, rowsR, sum2);
            value = Update(ref Unsafe.Add(ref entries, 3 * _stride), rowsV, w3, rowsW, v3);
            sum = TLanes.MultiplyAdd(value, r3, sum);
            sum3 = TLanes.MultiplyAdd(value, rowsR, sum3);
            sum.Store(ref Unsafe.Add(ref product, i));
        }
        _product[j] += TLanes.Sum(sum0);
        _product[j + 1] += TLanes.Sum(sum1);
        _product[j + 2] += TLanes.Sum(sum2);
        _product[j + 3] += TLanes.Sum(sum3);
    }

    /// <summary>Updates one vector of a column, and gets it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Update<TLanes>(
        ref double entries,
        TLanes rowsV,
        TLanes negativeW,
        TLanes rowsW,
        TLanes negativeV
    )
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var value = TLanes.MultiplyAdd(rowsV, negativeW, TLanes.Load(ref entries));
        value = TLanes.MultiplyAdd(rowsW, negativeV, value);
        value.Store(ref entries);
        return value;
    }
}
