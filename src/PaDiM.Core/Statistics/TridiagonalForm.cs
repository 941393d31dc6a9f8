using System.Numerics.Tensors;
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

    /// <summary>
    /// Applies two reflections in one pass over the vectors: x = x - a u - b v with a = f u^T x and b = g (v^T x - a v^T
    /// u).
    /// </summary>
    private static void Rotate<TLanes>(ReadOnlySpan<double> packed, ReadOnlySpan<double> factors, Span<double> vectors)
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var d = factors.Length;
        var stride = vectors.Length / d;
        ref var x = ref MemoryMarshal.GetReference(vectors);
        // u starts in row k + 1 with a 1, v in row k + 2 with a 1; neither is stored.
        for (var (k, start) = (0, 0); k < d - 1; k += 2)
        {
            var next = start + d - k;
            var u = packed[(start + 2)..next];
            // The last reflector of an even number of dimensions has no partner. A factor of 0 leaves x as it is.
            var v = k + 2 < d ? packed[(next + 2)..(next + d - k - 1)] : [];
            var g = k + 2 < d ? factors[k + 1] : 0;
            var both = k + 2 < d ? u[0] + TensorPrimitives.Dot(u[1..], v) : 0;
            ref var rows = ref Unsafe.Add(ref x, (k + 1) * stride);
            var lane = 0;
            for (; lane + 2 * TLanes.Count <= stride; lane += 2 * TLanes.Count)
                ReflectTwo<TLanes>(u, v, factors[k], g, both, ref Unsafe.Add(ref rows, lane), stride);
            for (; lane < stride; lane += TLanes.Count)
                ReflectOne<TLanes>(u, v, factors[k], g, both, ref Unsafe.Add(ref rows, lane), stride);
            start = next + d - k - 1;
        }
    }

    /// <summary>Reflects two registers of vectors: four independent sums hide the latency of a multiply-add.</summary>
    private static void ReflectTwo<TLanes>(
        ReadOnlySpan<double> u,
        ReadOnlySpan<double> v,
        double f,
        double g,
        double both,
        ref double x,
        int stride
    )
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var lanes = TLanes.Count;
        ref var row = ref x;
        TLanes a0 = TLanes.Load(ref x),
            a1 = TLanes.Load(ref Unsafe.Add(ref x, lanes)),
            b0 = default,
            b1 = default;
        if (u.Length > 0)
        {
            row = ref Unsafe.Add(ref x, stride);
            b0 = TLanes.Load(ref row);
            b1 = TLanes.Load(ref Unsafe.Add(ref row, lanes));
            a0 = TLanes.MultiplyAdd(b0, TLanes.Create(u[0]), a0);
            a1 = TLanes.MultiplyAdd(b1, TLanes.Create(u[0]), a1);
        }
        for (var i = 0; i < v.Length; i++)
        {
            row = ref Unsafe.Add(ref row, stride);
            var x0 = TLanes.Load(ref row);
            var x1 = TLanes.Load(ref Unsafe.Add(ref row, lanes));
            var entry = TLanes.Create(u[i + 1]);
            a0 = TLanes.MultiplyAdd(x0, entry, a0);
            a1 = TLanes.MultiplyAdd(x1, entry, a1);
            entry = TLanes.Create(v[i]);
            b0 = TLanes.MultiplyAdd(x0, entry, b0);
            b1 = TLanes.MultiplyAdd(x1, entry, b1);
        }
        (a0, b0) = GetShares(a0, b0, f, g, both);
        (a1, b1) = GetShares(a1, b1, f, g, both);
        row = ref x;
        Add(a0, TLanes.Create(1), ref row);
        Add(a1, TLanes.Create(1), ref Unsafe.Add(ref row, lanes));
        if (u.Length > 0)
        {
            row = ref Unsafe.Add(ref row, stride);
            AddBoth(a0, TLanes.Create(u[0]), b0, TLanes.Create(1), ref row);
            AddBoth(a1, TLanes.Create(u[0]), b1, TLanes.Create(1), ref Unsafe.Add(ref row, lanes));
        }
        for (var i = 0; i < v.Length; i++)
        {
            row = ref Unsafe.Add(ref row, stride);
            var entryU = TLanes.Create(u[i + 1]);
            var entryV = TLanes.Create(v[i]);
            AddBoth(a0, entryU, b0, entryV, ref row);
            AddBoth(a1, entryU, b1, entryV, ref Unsafe.Add(ref row, lanes));
        }
    }

    /// <summary>Reflects one register of vectors.</summary>
    private static void ReflectOne<TLanes>(
        ReadOnlySpan<double> u,
        ReadOnlySpan<double> v,
        double f,
        double g,
        double both,
        ref double x,
        int stride
    )
        where TLanes : struct, IPanelLanes<TLanes>
    {
        ref var row = ref x;
        TLanes a = TLanes.Load(ref x),
            b = default;
        if (u.Length > 0)
        {
            row = ref Unsafe.Add(ref x, stride);
            b = TLanes.Load(ref row);
            a = TLanes.MultiplyAdd(b, TLanes.Create(u[0]), a);
        }
        for (var i = 0; i < v.Length; i++)
        {
            row = ref Unsafe.Add(ref row, stride);
            var value = TLanes.Load(ref row);
            a = TLanes.MultiplyAdd(value, TLanes.Create(u[i + 1]), a);
            b = TLanes.MultiplyAdd(value, TLanes.Create(v[i]), b);
        }
        (a, b) = GetShares(a, b, f, g, both);
        row = ref x;
        Add(a, TLanes.Create(1), ref row);
        if (u.Length > 0)
        {
            row = ref Unsafe.Add(ref row, stride);
            AddBoth(a, TLanes.Create(u[0]), b, TLanes.Create(1), ref row);
        }
        for (var i = 0; i < v.Length; i++)
        {
            row = ref Unsafe.Add(ref row, stride);
            AddBoth(a, TLanes.Create(u[i + 1]), b, TLanes.Create(v[i]), ref row);
        }
    }

    /// <summary>Computes -a and -b from u^T x and v^T x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes A, TLanes B) GetShares<TLanes>(TLanes ux, TLanes vx, double f, double g, double both)
        where TLanes : struct, IPanelLanes<TLanes>
    {
        var a = TLanes.MultiplyAdd(ux, TLanes.Create(-f), default);
        return (a, TLanes.MultiplyAdd(TLanes.MultiplyAdd(a, TLanes.Create(both), vx), TLanes.Create(-g), default));
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

    /// <summary>Computes x = x + a u + b v.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddBoth<TLanes>(TLanes a, TLanes u, TLanes b, TLanes v, ref double x)
        where TLanes : struct, IPanelLanes<TLanes> =>
        TLanes.MultiplyAdd(b, v, TLanes.MultiplyAdd(a, u, TLanes.Load(ref x))).Store(ref x);
}
