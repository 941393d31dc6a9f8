using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// The lower triangle of a d x d matrix, packed column by column: column j holds rows j to d - 1. Every loop below runs
/// down a column, so vectors need no horizontal sums.
/// </summary>
internal static class PackedTriangle
{
    /// <summary>Gets the number of entries, d (d + 1) / 2.</summary>
    public static int GetLength(int d) => checked(d * (d + 1) / 2);

    /// <summary>Enumerates all columns of a triangle of d dimensions.</summary>
    public static PackedColumns Columns(int d) => new(d, d);

    /// <summary>Enumerates the first columns of a triangle of d dimensions.</summary>
    public static PackedColumns Columns(int d, int count) => new(d, count);

    /// <summary>Computes (A + ridge I)^(-1/2) as the inverse Cholesky factor, in place.</summary>
    /// <param name="matrix">A on entry, W on return.</param>
    /// <param name="ridge">Added to the diagonal.</param>
    /// <param name="work">A buffer with the same dimensions.</param>
    /// <exception cref="ArithmeticException">The sum is not positive definite or not finite.</exception>
    public static void Whiten(Span<double> matrix, double ridge, DenseTriangle work) =>
        Whiten(matrix, 1, ridge, work, matrix);

    /// <summary>Computes (scale A + ridge I)^(-1/2) as the inverse Cholesky factor.</summary>
    /// <param name="matrix">A.</param>
    /// <param name="scale">Factor of A.</param>
    /// <param name="ridge">Added to the diagonal.</param>
    /// <param name="work">A buffer with the same dimensions.</param>
    /// <param name="factor">Receives W; may be the memory of A.</param>
    /// <exception cref="ArithmeticException">The sum is not positive definite or not finite.</exception>
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

    /// <summary>Computes y = W x. Each column of W is read once, in order.</summary>
    public static void Multiply<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> x, Span<T> y)
        where T : System.Numerics.INumber<T>
    {
        y.Clear();
        foreach (var column in Columns(x.Length))
        {
            // y[j..] += W[j.., j] * x[j]
            var rows = y[column.Index..];
            TensorPrimitives.MultiplyAdd(column.In(matrix), x[column.Index], rows, rows);
        }
    }

    /// <summary>Writes the whole matrix, with zeros above the diagonal.</summary>
    /// <param name="matrix">The triangle.</param>
    /// <param name="d">Dimensions.</param>
    /// <param name="square">Receives the matrix, shape <c>(d, d)</c>, row-major.</param>
    public static void Unpack<T>(ReadOnlySpan<T> matrix, int d, Span<T> square)
    {
        square[..(d * d)].Clear();
        foreach (var column in Columns(d))
            for (var row = column.Index; row < d; row++)
                square[row * d + column.Index] = matrix[column.GetEntry(row)];
    }

    /// <summary>Computes y = A x for the symmetric matrix A with this lower triangle.</summary>
    public static void MultiplySymmetric(ReadOnlySpan<double> matrix, ReadOnlySpan<double> x, Span<double> y)
    {
        y.Clear();
        foreach (var column in Columns(x.Length))
        {
            var j = column.Index;
            var below = column.In(matrix)[1..];
            var next = j + 1;
            // An entry below the diagonal serves twice: as A[i, j] for row i, and as A[j, i] for row j.
            TensorPrimitives.MultiplyAdd(below, x[j], y[next..], y[next..]);
            y[j] += matrix[column.Start] * x[j] + TensorPrimitives.Dot<double>(below, x[next..]);
        }
    }

    /// <summary>Computes the trace: the sum of the diagonal.</summary>
    public static double ComputeTrace(ReadOnlySpan<double> matrix, int d)
    {
        var trace = 0.0;
        foreach (var column in Columns(d))
            trace += matrix[column.Start];
        return trace;
    }

    /// <summary>
    /// Computes the trace and the sum of squares of all entries of the symmetric matrix with this lower triangle.
    /// </summary>
    public static (double Trace, double Squared) ComputeNorms(ReadOnlySpan<double> matrix, int d)
    {
        var trace = 0.0;
        // Entries below the diagonal occur twice in the matrix, those on it once.
        var squared = 2 * TensorPrimitives.SumOfSquares<double>(matrix);
        foreach (var column in Columns(d))
        {
            var diagonal = matrix[column.Start];
            trace += diagonal;
            squared -= diagonal * diagonal;
        }
        return (trace, squared);
    }
}
