using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A lower triangle with its zeros, column after column, for work in panels: rows padded to whole vectors, columns to
/// whole panels, the padding an identity that factorises to itself. See <see cref="PanelKernel"/> for the layout. A
/// buffer of one worker; not thread-safe.
/// </summary>
/// <param name="d">Dimensions.</param>
internal sealed class DenseTriangle(int d)
{
    private const int Width = PanelKernel.Width;

    private readonly int _stride = PanelKernel.GetStride(d),
        _columns = PanelKernel.GetPaddedColumns(d);
    private readonly double[] _values = new double[PanelKernel.GetStride(d) * PanelKernel.GetPaddedColumns(d)];

    /// <summary>All columns.</summary>
    public Span<double> Values => _values;

    /// <summary>Takes a triangle packed by columns, times a factor, with a ridge added to its diagonal.</summary>
    public void Load(ReadOnlySpan<double> packed, double scale = 1, double ridge = 0)
    {
        for (int j = 0, at = 0; j < d; at += d - j++)
        {
            var column = _values.AsSpan(j * _stride + j, d - j);
            if (scale == 1)
                packed.Slice(at, d - j).CopyTo(column);
            else
                TensorPrimitives.Multiply(packed.Slice(at, d - j), scale, column);
            column[0] += ridge;
        }
        for (var j = d; j < _columns; j++)
            _values[j * _stride + j] = 1;
    }

    /// <summary>Gives the triangle packed by columns.</summary>
    public void Store(Span<double> packed)
    {
        for (int j = 0, at = 0; j < d; at += d - j++)
            _values.AsSpan(j * _stride + j, d - j).CopyTo(packed[at..]);
    }

    /// <summary>
    /// A = L L^T in place, four columns at a time: what the columns before take from them is one product. About d^3 / 6
    /// multiply-adds.
    /// </summary>
    /// <exception cref="ArithmeticException">The matrix is not positive definite, or not finite.</exception>
    public void Factorise()
    {
        for (var j = 0; j < _columns; j += Width)
        {
            var panel = _values.AsSpan(j * _stride);
            PanelKernel.Multiply(_values, _stride, j, _values.AsSpan(j), _stride, 1, j, -1, panel, subtract: true);
            var block = Block.Factorise(panel[j..], _stride, j, d);
            // Rows of the panel times L^-T of its own block, as a combination of its four columns.
            MultiplyByBlock(panel, j, block.Inverse().Transpose());
            block.Store(panel, _stride, j);
        }
    }

    /// <summary>
    /// W = L^-1 in place, from the last panel to the first: below a panel's own block P, W is -W' B P^-1, W' what is
    /// done already, B what stands there of L.
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
                PanelKernel.Multiply(
                    _values.AsSpan(next * _stride),
                    _stride,
                    next,
                    panel[next..],
                    1,
                    _stride,
                    rest,
                    next,
                    panel,
                    subtract: false
                );
                MultiplyByBlock(panel, j, block.Negative());
            }
            block.Store(panel, _stride, j);
        }
    }

    /// <summary>
    /// panel = panel * block for the rows from a panel's own on; its own rows, and those read along with them, are to
    /// be stored anew.
    /// </summary>
    private void MultiplyByBlock(Span<double> panel, int fromRow, in Block block)
    {
        Span<double> factors = stackalloc double[Width * Width];
        block.CopyTo(factors);
        PanelKernel.Multiply(panel, _stride, fromRow, factors, 1, Width, Width, -1, panel, subtract: false);
    }

    /// <summary>A 4 x 4 matrix, column after column.</summary>
    [System.Runtime.CompilerServices.InlineArray(Width * Width)]
    private struct Block
    {
        private double _first;

        public static Block Load(ReadOnlySpan<double> from, int stride)
        {
            var block = default(Block);
            for (var c = 0; c < Width; c++)
            for (var i = c; i < Width; i++)
                block[c * Width + i] = from[c * stride + i];
            return block;
        }

        /// <summary>L of the 4 x 4 matrix on the diagonal.</summary>
        public static Block Factorise(ReadOnlySpan<double> from, int stride, int dimension, int dimensions)
        {
            var block = Load(from, stride);
            for (var c = 0; c < Width; c++)
            {
                var pivot = block[c * Width + c];
                if (!(pivot > 0) || !double.IsFinite(pivot))
                    throw new ArithmeticException(
                        $"The covariance is not positive definite (pivot {pivot:g3} at dimension {dimension + c} of {dimensions})."
                    );
                var root = Math.Sqrt(pivot);
                for (var i = c; i < Width; i++)
                    block[c * Width + i] /= root;
                for (var k = c + 1; k < Width; k++)
                for (var i = k; i < Width; i++)
                    block[k * Width + i] -= block[c * Width + i] * block[c * Width + k];
            }
            return block;
        }

        /// <summary>The inverse of a lower triangle.</summary>
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
        /// Puts a lower triangle in its place, and zeros above it as far up as rows were written along.
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
