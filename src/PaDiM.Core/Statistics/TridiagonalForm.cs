using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A symmetric matrix as A = Q T Q^T with T tridiagonal, by Householder reflections (Golub and Van Loan, "Matrix
/// Computations", section 8.3; see <see cref="TridiagonalReduction"/>). With it, x^T (A + ridge I)^-1 x costs O(d) for
/// every further ridge: leaving one image out may need a different ridge per image.
/// </summary>
/// <remarks>
/// Works on many vectors at once. They are the columns of a matrix of d rows, whose <c>stride</c> is the number of
/// vectors, padded to a multiple of eight (<see cref="PanelKernel.GetStride"/>): a lane is a vector, and no sum runs
/// across lanes.
/// </remarks>
internal static class TridiagonalForm
{
    /// <summary>Copies T's diagonal and the entries below it; the last of these is 0.</summary>
    public static void CopyBands(ReadOnlySpan<double> packed, Span<double> diagonal, Span<double> below)
    {
        foreach (var column in PackedTriangle.Columns(diagonal.Length))
        {
            diagonal[column.Index] = packed[column.Start];
            below[column.Index] = column.Length > 1 ? packed[column.Start + 1] : 0;
        }
    }

    /// <summary>Computes X = Q^T X in place. Cost: <c>d^2</c> multiply-adds per vector.</summary>
    /// <param name="packed">The reduced matrix.</param>
    /// <param name="factors">The factors of its reflections, length d.</param>
    /// <param name="vectors">X, shape <c>(d, stride)</c>.</param>
    public static void Rotate(ReadOnlySpan<double> packed, ReadOnlySpan<double> factors, Span<double> vectors)
    {
        // The width does not change a bit: each lane sums its own vector in the same order.
        if (Vector512.IsHardwareAccelerated)
            Rotate<PanelLanes512>(packed, factors, vectors);
        else
            Rotate<PanelLanesNative>(packed, factors, vectors);
    }

    /// <summary>Computes y^T (T + ridge I)^-1 y by elimination, for a positive semidefinite T.</summary>
    /// <param name="diagonal">T's diagonal.</param>
    /// <param name="below">T's entries below the diagonal.</param>
    /// <param name="ridges">The ridge of each vector, length <c>stride</c>; above 0.</param>
    /// <param name="vectors">The vectors y, shape <c>(d, stride)</c>.</param>
    /// <param name="forms">Receives one number per vector, length <c>stride</c>.</param>
    public static void ComputeInverseForms(
        ReadOnlySpan<double> diagonal,
        ReadOnlySpan<double> below,
        Span<double> ridges,
        Span<double> vectors,
        Span<double> forms
    )
    {
        if (Vector512.IsHardwareAccelerated)
            ComputeInverseForms<PanelLanes512>(diagonal, below, ridges, vectors, forms);
        else
            ComputeInverseForms<PanelLanesNative>(diagonal, below, ridges, vectors, forms);
    }

    /// <summary>Computes y^T T y.</summary>
    /// <param name="diagonal">T's diagonal.</param>
    /// <param name="below">T's entries below the diagonal.</param>
    /// <param name="vectors">The vectors y, shape <c>(d, stride)</c>.</param>
    /// <param name="forms">Receives one number per vector, length <c>stride</c>.</param>
    public static void ComputeForms(
        ReadOnlySpan<double> diagonal,
        ReadOnlySpan<double> below,
        ReadOnlySpan<double> vectors,
        Span<double> forms
    )
    {
        var stride = forms.Length;
        forms.Clear();
        for (var i = 0; i < diagonal.Length; i++)
        {
            var y = vectors.Slice(i * stride, stride);
            var before = i > 0 ? vectors.Slice((i - 1) * stride, stride) : y;
            // T is symmetric: an entry below the diagonal counts twice.
            var twice = i > 0 ? 2 * below[i - 1] : 0;
            for (var k = 0; k < stride; k++)
                forms[k] += (diagonal[i] * y[k] + twice * before[k]) * y[k];
        }
    }

    private static void Rotate<TLanes>(ReadOnlySpan<double> packed, ReadOnlySpan<double> factors, Span<double> vectors)
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var stride = vectors.Length / factors.Length;
        ref var x = ref MemoryMarshal.GetReference(vectors);
        foreach (var column in PackedTriangle.Columns(factors.Length, factors.Length - 1))
        {
            if (factors[column.Index] == 0)
                continue;
            // v starts in row k + 1 with a 1 that is not stored.
            var reflector = column.In(packed)[2..];
            ref var below = ref Unsafe.Add(ref x, (column.Index + 1) * stride);
            var lane = 0;
            for (; lane + 4 * TLanes.Count <= stride; lane += 4 * TLanes.Count)
                ReflectFour<TLanes>(reflector, factors[column.Index], ref Unsafe.Add(ref below, lane), stride);
            for (; lane < stride; lane += TLanes.Count)
                ReflectOne<TLanes>(reflector, factors[column.Index], ref Unsafe.Add(ref below, lane), stride);
        }
    }

    /// <summary>
    /// Computes x = x - factor (v^T x) v for four registers of vectors: four independent sums hide the latency of a
    /// multiply-add.
    /// </summary>
    private static void ReflectFour<TLanes>(ReadOnlySpan<double> reflector, double factor, ref double x, int stride)
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var lanes = TLanes.Count;
        TLanes sum0 = TLanes.Load(ref x),
            sum1 = TLanes.Load(ref Unsafe.Add(ref x, lanes)),
            sum2 = TLanes.Load(ref Unsafe.Add(ref x, 2 * lanes)),
            sum3 = TLanes.Load(ref Unsafe.Add(ref x, 3 * lanes));
        ref var row = ref Unsafe.Add(ref x, stride);
        foreach (var value in reflector)
        {
            var v = TLanes.Create(value);
            sum0 = TLanes.MultiplyAdd(TLanes.Load(ref row), v, sum0);
            sum1 = TLanes.MultiplyAdd(TLanes.Load(ref Unsafe.Add(ref row, lanes)), v, sum1);
            sum2 = TLanes.MultiplyAdd(TLanes.Load(ref Unsafe.Add(ref row, 2 * lanes)), v, sum2);
            sum3 = TLanes.MultiplyAdd(TLanes.Load(ref Unsafe.Add(ref row, 3 * lanes)), v, sum3);
            row = ref Unsafe.Add(ref row, stride);
        }
        var negative = TLanes.Create(-factor);
        sum0 = TLanes.MultiplyAdd(sum0, negative, default);
        sum1 = TLanes.MultiplyAdd(sum1, negative, default);
        sum2 = TLanes.MultiplyAdd(sum2, negative, default);
        sum3 = TLanes.MultiplyAdd(sum3, negative, default);
        Add(sum0, TLanes.Create(1), ref x);
        Add(sum1, TLanes.Create(1), ref Unsafe.Add(ref x, lanes));
        Add(sum2, TLanes.Create(1), ref Unsafe.Add(ref x, 2 * lanes));
        Add(sum3, TLanes.Create(1), ref Unsafe.Add(ref x, 3 * lanes));
        row = ref Unsafe.Add(ref x, stride);
        foreach (var value in reflector)
        {
            var v = TLanes.Create(value);
            Add(sum0, v, ref row);
            Add(sum1, v, ref Unsafe.Add(ref row, lanes));
            Add(sum2, v, ref Unsafe.Add(ref row, 2 * lanes));
            Add(sum3, v, ref Unsafe.Add(ref row, 3 * lanes));
            row = ref Unsafe.Add(ref row, stride);
        }
    }

    /// <summary>Reflects one register of vectors.</summary>
    private static void ReflectOne<TLanes>(ReadOnlySpan<double> reflector, double factor, ref double x, int stride)
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var sum = TLanes.Load(ref x);
        ref var row = ref Unsafe.Add(ref x, stride);
        foreach (var value in reflector)
        {
            sum = TLanes.MultiplyAdd(TLanes.Load(ref row), TLanes.Create(value), sum);
            row = ref Unsafe.Add(ref row, stride);
        }
        sum = TLanes.MultiplyAdd(sum, TLanes.Create(-factor), default);
        Add(sum, TLanes.Create(1), ref x);
        row = ref Unsafe.Add(ref x, stride);
        foreach (var value in reflector)
        {
            Add(sum, TLanes.Create(value), ref row);
            row = ref Unsafe.Add(ref row, stride);
        }
    }

    private static void ComputeInverseForms<TLanes>(
        ReadOnlySpan<double> diagonal,
        ReadOnlySpan<double> below,
        Span<double> ridges,
        Span<double> vectors,
        Span<double> forms
    )
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var stride = forms.Length;
        var one = TLanes.Create(1);
        for (var lane = 0; lane < stride; lane += TLanes.Count)
        {
            // T + ridge I = L D L^T with D the pivots; z = L^-1 y, and the form is the sum of z^2 / pivot.
            var ridge = TLanes.Load(ref ridges[lane]);
            // Rounding must not take a pivot below what the ridge alone would leave.
            var least = TLanes.MultiplyAdd(ridge, TLanes.Create(1e-3), default);
            TLanes sum = default,
                z = default,
                share = default;
            for (var i = 0; i < diagonal.Length; i++)
            {
                // share is below[i - 1] / pivot[i - 1]: 0 in the first row.
                var pivot = TLanes.MultiplyAdd(ridge, one, TLanes.Create(diagonal[i]));
                if (i > 0)
                    pivot = TLanes.Max(TLanes.MultiplyAdd(share, TLanes.Create(-below[i - 1]), pivot), least);
                z = TLanes.Subtract(TLanes.Load(ref vectors[i * stride + lane]), TLanes.MultiplyAdd(share, z, default));
                var inverse = TLanes.Divide(one, pivot);
                sum = TLanes.MultiplyAdd(TLanes.MultiplyAdd(z, z, default), inverse, sum);
                share = TLanes.MultiplyAdd(inverse, TLanes.Create(below[i]), default);
            }
            sum.Store(ref forms[lane]);
        }
    }

    /// <summary>Computes x = x + left * right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TLanes>(TLanes left, TLanes right, ref double x)
        where TLanes : struct, IPanelLanes<TLanes> => TLanes.MultiplyAdd(left, right, TLanes.Load(ref x)).Store(ref x);
}
