using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A lower triangle with its zeros, column after column, for work in panels. Rows are padded to whole vectors and
/// columns to whole panels; the padding is an identity matrix, which factorises to itself. See
/// <see cref="PanelKernel"/> for the layout. A buffer for one worker; not thread-safe.
/// </summary>
/// <param name="d">Dimensions.</param>
internal sealed class DenseTriangle(int d)
{
    private const int Width = PanelKernel.Width;

    private readonly int _stride = PanelKernel.GetStride(d),
        _columns = PanelKernel.GetPaddedColumns(d);
    private readonly double[] _values = new double[PanelKernel.GetStride(d) * PanelKernel.GetPaddedColumns(d)];

    /// <summary>Gets all columns, <see cref="PanelKernel.GetStride"/> values apart.</summary>
    public Span<double> Values => _values;

    /// <summary>Loads scale * A + ridge * I from a triangle A packed by columns.</summary>
    public void Load(ReadOnlySpan<double> packed, double scale = 1, double ridge = 0)
    {
        foreach (var column in PackedTriangle.Columns(d))
        {
            // Entries above the diagonal are 0 already, and have to be: products read whole vectors of a column.
            var target = GetColumn(column);
            if (scale == 1)
                column.In(packed).CopyTo(target);
            else
                TensorPrimitives.Multiply(column.In(packed), scale, target);
            target[0] += ridge;
        }
        for (var j = d; j < _columns; j++)
            _values[j * _stride + j] = 1;
    }

    /// <summary>Stores the triangle packed by columns.</summary>
    public void Store(Span<double> packed)
    {
        foreach (var column in PackedTriangle.Columns(d))
            GetColumn(column).CopyTo(column.In(packed));
    }

    /// <summary>
    /// Factorises A = L L^T in place, four columns at a time, left-looking: one product subtracts what all columns
    /// before contribute. Cost: about d^3 / 6 multiply-adds.
    /// </summary>
    /// <exception cref="ArithmeticException">The matrix is not positive definite or not finite.</exception>
    public void Factorise()
    {
        for (var j = 0; j < _columns; j += Width)
        {
            var panel = _values.AsSpan(j * _stride);
            // panel -= L[.., 0..j-1] * L[j..j+3, 0..j-1]^T: factor(k, c) is L[j + c, k].
            PanelKernel.Multiply(
                _values,
                _stride,
                fromRow: j,
                _values.AsSpan(j),
                nextFactor: _stride,
                nextColumn: 1,
                count: j,
                diagonal: -1,
                panel,
                subtract: true
            );
            // The 4 x 4 block on the diagonal in scalar code; then the rows below it are the panel times L^-T of that
            // block, each row a combination of its four columns.
            var block = Block.Factorise(panel[j..], _stride, j, d);
            MultiplyByBlock(panel, j, block.Inverse().Transpose());
            block.Store(panel, _stride, j);
        }
    }

    /// <summary>
    /// Inverts W = L^-1 in place, from the last panel to the first. Below a panel's diagonal block P, W is -W' B P^-1,
    /// with W' the part that is already inverted and B the rows of L below P.
    /// </summary>
    public void Invert()
    {
        for (var j = _columns - Width; j >= 0; j -= Width)
        {
            var panel = _values.AsSpan(j * _stride);
            var block = Block.Load(panel[j..], _stride).Inverse();
            var next = j + Width;
            var rest = _columns - j - Width;
            if (rest > 0)
            {
                // panel = W' * B. The factors B are the panel itself: safe, because rows are done from the last to the
                // first, and row i of W' needs only the rows of B up to i.
                PanelKernel.Multiply(
                    _values.AsSpan(next * _stride),
                    _stride,
                    fromRow: next,
                    panel[next..],
                    nextFactor: 1,
                    nextColumn: _stride,
                    count: rest,
                    diagonal: next,
                    panel,
                    subtract: false
                );
                MultiplyByBlock(panel, j, block.Negative());
            }
            block.Store(panel, _stride, j);
        }
    }

    /// <summary>
    /// Computes panel = panel * block for the rows from the diagonal block down. The caller has to store the diagonal
    /// block afterwards: its rows, and the rows above it in the same vector, are overwritten.
    /// </summary>
    private void MultiplyByBlock(Span<double> panel, int fromRow, in Block block)
    {
        Span<double> factors = stackalloc double[Width * Width];
        block.CopyTo(factors);
        // The block is column-major: factor(k, c) is block[c * 4 + k].
        PanelKernel.Multiply(
            panel,
            _stride,
            fromRow,
            factors,
            nextFactor: 1,
            nextColumn: Width,
            count: Width,
            diagonal: -1,
            panel,
            subtract: false
        );
    }

    /// <summary>Gets a column from its diagonal entry down, without the padding.</summary>
    private Span<double> GetColumn(PackedColumn column) =>
        _values.AsSpan(column.Index * _stride + column.Index, column.Length);

    /// <summary>A 4 x 4 matrix, column after column: entry (i, c) is at <c>4 c + i</c>.</summary>
    [System.Runtime.CompilerServices.InlineArray(Width * Width)]
    private struct Block
    {
        private double _first;

        /// <summary>Loads the lower triangle; entries above the diagonal are 0.</summary>
        public static Block Load(ReadOnlySpan<double> from, int stride)
        {
            var block = default(Block);
            for (var c = 0; c < Width; c++)
            for (var i = c; i < Width; i++)
                block[c * Width + i] = from[c * stride + i];
            return block;
        }

        /// <summary>Computes L of the 4 x 4 matrix on the diagonal.</summary>
        public static Block Factorise(ReadOnlySpan<double> from, int stride, int dimension, int dimensions)
        {
            var block = Load(from, stride);
            for (var c = 0; c < Width; c++)
            {
                var pivot = block[c * Width + c];
                // The negation also rejects NaN.
                if (!(pivot > 0) || !double.IsFinite(pivot))
                    throw new ArithmeticException(
                        $"The covariance is not positive definite (pivot {pivot:g3} at dimension {dimension + c} of "
                            + $"{dimensions})."
                    );
                var root = Math.Sqrt(pivot);
                for (var i = c; i < Width; i++)
                    block[c * Width + i] /= root;
                // Right-looking within the block: column c is subtracted from all columns after it.
                for (var k = c + 1; k < Width; k++)
                for (var i = k; i < Width; i++)
                    block[k * Width + i] -= block[c * Width + i] * block[c * Width + k];
            }
            return block;
        }

        /// <summary>Inverts a lower triangle by forward substitution, one column at a time.</summary>
        public readonly Block Inverse()
        {
            var inverse = default(Block);
            for (var c = 0; c < Width; c++)
            for (var i = c; i < Width; i++)
            {
                var sum = i == c ? 1.0 : 0;
                for (var k = c; k < i; k++)
                    sum -= this[k * Width + i] * inverse[c * Width + k];
                inverse[c * Width + i] = sum / this[i * Width + i];
            }
            return inverse;
        }

        public readonly Block Transpose()
        {
            var transpose = default(Block);
            for (var c = 0; c < Width; c++)
            for (var i = 0; i < Width; i++)
                transpose[i * Width + c] = this[c * Width + i];
            return transpose;
        }

        public readonly Block Negative()
        {
            var negative = this;
            for (var i = 0; i < Width * Width; i++)
                negative[i] = -negative[i];
            return negative;
        }

        public readonly void CopyTo(Span<double> to)
        {
            for (var i = 0; i < Width * Width; i++)
                to[i] = this[i];
        }

        /// <summary>
        /// Stores a lower triangle in its place, and zeros above it: a panel is written in whole vectors, so rows above
        /// the diagonal block were overwritten too.
        /// </summary>
        public readonly void Store(Span<double> panel, int stride, int row)
        {
            for (var c = 0; c < Width; c++)
            {
                for (var i = PanelKernel.AlignRow(row); i < row; i++)
                    panel[c * stride + i] = 0;
                for (var i = 0; i < Width; i++)
                    panel[c * stride + row + i] = this[c * Width + i];
            }
        }
    }
}
