using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A symmetric matrix as A = Q T Q^T with T tridiagonal, by Householder's reflections (Golub and Van Loan, "Matrix
/// Computations", section 8.3). With it x^T (A + ridge I)^-1 x costs O(d) for every further ridge: what leaving one
/// image out under shrinkage needs, where each image has a ridge of its own.
/// </summary>
internal static class TridiagonalForm
{
    /// <summary>
    /// Reduces a packed lower triangle in place: entry 0 of column k becomes T's diagonal, entry 1 what stands below
    /// it, the others the reflector's vector, whose first entry is 1 and not stored.
    /// </summary>
    /// <param name="packed">The matrix; see <see cref="PackedTriangle"/>.</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="factors">Takes the factor of each reflection, length d.</param>
    /// <param name="scratch">At least d values.</param>
    public static void Reduce(Span<double> packed, int d, Span<double> factors, Span<double> scratch)
    {
        factors.Clear();
        for (int k = 0, at = 0; k < d - 1; at += d - k++)
        {
            var v = packed.Slice(at + 1, d - k - 1);
            var alpha = v[0];
            var rest = TensorPrimitives.Norm<double>(v[1..]);
            if (!(rest > 0))
                continue;
            var beta = -Math.CopySign(double.Hypot(alpha, rest), alpha);
            factors[k] = (beta - alpha) / beta;
            TensorPrimitives.Divide(v[1..], alpha - beta, v[1..]);
            v[0] = 1;
            ReflectBothSides(packed[(at + d - k)..], v, factors[k], scratch[..v.Length]);
            v[0] = beta;
        }
    }

    /// <summary>x = Q^T x, in place.</summary>
    public static void Rotate(ReadOnlySpan<double> packed, ReadOnlySpan<double> factors, Span<double> x)
    {
        for (int k = 0, at = 0; k < x.Length - 1; at += x.Length - k++)
        {
            if (factors[k] == 0)
                continue;
            var v = packed.Slice(at + 2, x.Length - k - 2);
            var y = x[(k + 2)..];
            var share = factors[k] * (x[k + 1] + TensorPrimitives.Dot<double>(v, y));
            x[k + 1] -= share;
            TensorPrimitives.MultiplyAdd(v, -share, y, y);
        }
    }

    /// <summary>T's diagonal and the entries below it.</summary>
    public static void CopyBands(ReadOnlySpan<double> packed, Span<double> diagonal, Span<double> below)
    {
        var d = diagonal.Length;
        for (int k = 0, at = 0; k < d; at += d - k++)
        {
            diagonal[k] = packed[at];
            below[k] = k < d - 1 ? packed[at + 1] : 0;
        }
    }

    /// <summary>y^T (T + ridge I)^-1 y for a T that is positive semidefinite, by elimination.</summary>
    public static double ComputeInverseForm(
        ReadOnlySpan<double> diagonal,
        ReadOnlySpan<double> below,
        double ridge,
        ReadOnlySpan<double> y
    )
    {
        var pivot = diagonal[0] + ridge;
        var z = y[0];
        var sum = y[0] * y[0] / (diagonal[0] + ridge);
        for (var i = 1; i < y.Length; i++)
        {
            var factor = below[i - 1] / pivot;
            // Rounding may not take a pivot below what the ridge alone would leave.
            pivot = Math.Max(diagonal[i] + ridge - factor * below[i - 1], ridge * 1e-3);
            z = y[i] - factor * z;
            sum += z * z / pivot;
        }
        return sum;
    }

    /// <summary>y^T T y.</summary>
    public static double ComputeForm(ReadOnlySpan<double> diagonal, ReadOnlySpan<double> below, ReadOnlySpan<double> y)
    {
        var sum = 0.0;
        for (var i = 0; i < y.Length; i++)
            sum += diagonal[i] * y[i] * y[i] + (i > 0 ? 2 * below[i - 1] * y[i] * y[i - 1] : 0);
        return sum;
    }

    /// <summary>A = H A H with H = I - factor v v^T: a rank-two update, A - v w^T - w v^T.</summary>
    private static void ReflectBothSides(Span<double> packed, ReadOnlySpan<double> v, double factor, Span<double> w)
    {
        PackedTriangle.MultiplySymmetric(packed, v, w);
        TensorPrimitives.Multiply(w, factor, w);
        TensorPrimitives.MultiplyAdd(v, -factor / 2 * TensorPrimitives.Dot<double>(w, v), w, w);
        var m = v.Length;
        for (int j = 0, at = 0; j < m; at += m - j++)
        {
            var column = packed.Slice(at, m - j);
            TensorPrimitives.MultiplyAdd(v[j..], -w[j], column, column);
            TensorPrimitives.MultiplyAdd(w[j..], -v[j], column, column);
        }
    }
}
