using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A symmetric matrix as A = Q T Q^T with T tridiagonal, by Householder reflections (Golub and Van Loan, "Matrix
/// Computations", section 8.3). With it, x^T (A + ridge I)^-1 x costs O(d) for every further ridge: leaving one image
/// out under shrinkage needs a different ridge per image.
/// </summary>
internal static class TridiagonalForm
{
    /// <summary>
    /// Reduces a packed lower triangle in place. In column k, entry 0 becomes T's diagonal, entry 1 the value below it,
    /// and the others the vector of the reflector, whose first entry is 1 and not stored.
    /// </summary>
    /// <param name="packed">The matrix; see <see cref="PackedTriangle"/>.</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="factors">Receives the factor of each reflection, length d; 0 where there is none.</param>
    /// <param name="scratch">At least d values.</param>
    public static void Reduce(Span<double> packed, int d, Span<double> factors, Span<double> scratch)
    {
        factors.Clear();
        // The last column has nothing below its diagonal.
        foreach (var column in PackedTriangle.Columns(d, d - 1))
        {
            var reflector = column.In(packed)[1..];
            var alpha = reflector[0];
            var rest = TensorPrimitives.Norm<double>(reflector[1..]);
            // The column is tridiagonal already.
            if (!(rest > 0))
                continue;
            // H = I - factor v v^T maps the column below the diagonal to (beta, 0, ..., 0). The sign of beta is
            // opposite to alpha's, so alpha - beta does not cancel (Golub and Van Loan, algorithm 5.1.1).
            var beta = -Math.CopySign(double.Hypot(alpha, rest), alpha);
            var factor = (beta - alpha) / beta;
            factors[column.Index] = factor;
            TensorPrimitives.Divide(reflector[1..], alpha - beta, reflector[1..]);
            // v[0] is 1 during the update; afterwards its place holds T's entry below the diagonal.
            reflector[0] = 1;
            ReflectBothSides(packed[(column.Start + column.Length)..], reflector, factor, scratch[..reflector.Length]);
            reflector[0] = beta;
        }
    }

    /// <summary>Computes x = Q^T x in place. Cost: O(d^2).</summary>
    public static void Rotate(ReadOnlySpan<double> packed, ReadOnlySpan<double> factors, Span<double> x)
    {
        foreach (var column in PackedTriangle.Columns(x.Length, x.Length - 1))
        {
            var k = column.Index;
            if (factors[k] == 0)
                continue;
            // x = x - factor (v^T x) v; v starts in row k + 1 with a 1 that is not stored.
            var reflector = column.In(packed)[2..];
            var below = x[(k + 2)..];
            var share = factors[k] * (x[k + 1] + TensorPrimitives.Dot<double>(reflector, below));
            x[k + 1] -= share;
            TensorPrimitives.MultiplyAdd(reflector, -share, below, below);
        }
    }

    /// <summary>Copies T's diagonal and the entries below it; the last of these is 0.</summary>
    public static void CopyBands(ReadOnlySpan<double> packed, Span<double> diagonal, Span<double> below)
    {
        foreach (var column in PackedTriangle.Columns(diagonal.Length))
        {
            diagonal[column.Index] = packed[column.Start];
            below[column.Index] = column.Length > 1 ? packed[column.Start + 1] : 0;
        }
    }

    /// <summary>Computes y^T (T + ridge I)^-1 y by elimination, for a positive semidefinite T.</summary>
    public static double ComputeInverseForm(
        ReadOnlySpan<double> diagonal,
        ReadOnlySpan<double> below,
        double ridge,
        ReadOnlySpan<double> y
    )
    {
        // T + ridge I = L D L^T with D the pivots; z = L^-1 y, and the form is the sum of z^2 / pivot.
        var pivot = diagonal[0] + ridge;
        var z = y[0];
        var sum = y[0] * y[0] / (diagonal[0] + ridge);
        for (var i = 1; i < y.Length; i++)
        {
            var factor = below[i - 1] / pivot;
            // Rounding must not take a pivot below what the ridge alone would leave.
            pivot = Math.Max(diagonal[i] + ridge - factor * below[i - 1], ridge * 1e-3);
            z = y[i] - factor * z;
            sum += z * z / pivot;
        }
        return sum;
    }

    /// <summary>Computes y^T T y.</summary>
    public static double ComputeForm(ReadOnlySpan<double> diagonal, ReadOnlySpan<double> below, ReadOnlySpan<double> y)
    {
        var sum = 0.0;
        // T is symmetric: an entry below the diagonal counts twice.
        for (var i = 0; i < y.Length; i++)
            sum += diagonal[i] * y[i] * y[i] + (i > 0 ? 2 * below[i - 1] * y[i] * y[i - 1] : 0);
        return sum;
    }

    /// <summary>Computes A = H A H with H = I - factor v v^T as a rank-two update, A - v w^T - w v^T.</summary>
    private static void ReflectBothSides(Span<double> packed, ReadOnlySpan<double> v, double factor, Span<double> w)
    {
        // p = factor A v and w = p - (factor / 2) (p^T v) v (Golub and Van Loan, section 8.3.1).
        PackedTriangle.MultiplySymmetric(packed, v, w);
        TensorPrimitives.Multiply(w, factor, w);
        TensorPrimitives.MultiplyAdd(v, -factor / 2 * TensorPrimitives.Dot<double>(w, v), w, w);
        foreach (var column in PackedTriangle.Columns(v.Length))
        {
            var j = column.Index;
            var target = column.In(packed);
            TensorPrimitives.MultiplyAdd(v[j..], -w[j], target, target);
            TensorPrimitives.MultiplyAdd(w[j..], -v[j], target, target);
        }
    }
}
