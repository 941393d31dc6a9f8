using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// The lower triangle of a d x d matrix, packed column by column: column j holds rows j..d-1. Every loop below runs
/// down a column, so that vectors need no horizontal sums.
/// </summary>
internal static class PackedTriangle
{
    /// <summary>Number of entries, d (d + 1) / 2.</summary>
    public static int GetLength(int d) => checked(d * (d + 1) / 2);

    /// <summary>(A + ridge I)^(-1/2) as the inverse Cholesky factor, in place.</summary>
    /// <param name="matrix">A on entry, W on return.</param>
    /// <param name="ridge">Added to the diagonal.</param>
    /// <param name="work">Of as many dimensions.</param>
    /// <exception cref="ArithmeticException">The sum is not positive definite, or not finite.</exception>
    public static void Whiten(Span<double> matrix, double ridge, DenseTriangle work) =>
        Whiten(matrix, 1, ridge, work, matrix);

    /// <summary>(scale A + ridge I)^(-1/2) as the inverse Cholesky factor.</summary>
    /// <param name="matrix">A.</param>
    /// <param name="scale">What A is multiplied by.</param>
    /// <param name="ridge">Added to the diagonal.</param>
    /// <param name="work">Of as many dimensions.</param>
    /// <param name="factor">Takes W; may be A's own place.</param>
    /// <exception cref="ArithmeticException">The sum is not positive definite, or not finite.</exception>
    public static void Whiten(
        ReadOnlySpan<double> matrix,
        double scale,
        double ridge,
        DenseTriangle work,
        Span<double> factor
    )
    {
        work.Load(matrix, scale, ridge);
        work.Factorise();
        work.Invert();
        work.Store(factor);
    }

    /// <summary>y = W x; the columns of W are each read once, in order.</summary>
    public static void Multiply<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> x, Span<T> y)
        where T : System.Numerics.INumber<T>
    {
        y.Clear();
        for (int j = 0, at = 0; j < x.Length; at += x.Length - j++)
            TensorPrimitives.MultiplyAdd(matrix.Slice(at, x.Length - j), x[j], y[j..], y[j..]);
    }

    /// <summary>The whole matrix, zeros above the diagonal.</summary>
    /// <param name="matrix">The triangle.</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="square">Shape <c>(d, d)</c>, row-major; written over.</param>
    public static void Unpack<T>(ReadOnlySpan<T> matrix, int d, Span<T> square)
    {
        square[..(d * d)].Clear();
        for (int j = 0, at = 0; j < d; at += d - j++)
        for (var i = j; i < d; i++)
            square[i * d + j] = matrix[at + i - j];
    }

    /// <summary>y = A x for the symmetric matrix whose lower triangle this is.</summary>
    public static void MultiplySymmetric(ReadOnlySpan<double> matrix, ReadOnlySpan<double> x, Span<double> y)
    {
        y.Clear();
        for (int j = 0, at = 0; j < x.Length; at += x.Length - j++)
        {
            var below = matrix.Slice(at + 1, x.Length - j - 1);
            TensorPrimitives.MultiplyAdd(below, x[j], y[(j + 1)..], y[(j + 1)..]);
            y[j] += matrix[at] * x[j] + TensorPrimitives.Dot<double>(below, x[(j + 1)..]);
        }
    }

    /// <summary>Trace and sum of squares of the symmetric matrix whose lower triangle this is.</summary>
    public static (double Trace, double Squared) ComputeNorms(ReadOnlySpan<double> matrix, int d)
    {
        var trace = 0.0;
        var squared = 2 * TensorPrimitives.SumOfSquares<double>(matrix);
        for (int j = 0, at = 0; j < d; at += d - j++)
        {
            trace += matrix[at];
            squared -= matrix[at] * matrix[at];
        }
        return (trace, squared);
    }
}
