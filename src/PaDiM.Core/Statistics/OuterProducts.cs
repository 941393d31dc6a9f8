using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A sum of outer products x x^T of several vectors, added to a packed triangle in one pass over it. A buffer of one
/// worker; not thread-safe.
/// </summary>
/// <param name="d">Length of a vector.</param>
/// <param name="count">Vectors.</param>
internal sealed class OuterProducts(int d, int count)
{
    private readonly int _stride = PanelKernel.GetStride(d);
    private readonly double[] _vectors = new double[count * PanelKernel.GetStride(d)],
        _panel = new double[PanelKernel.Width * PanelKernel.GetStride(d)];

    /// <summary>A vector, length d, to be written.</summary>
    public Span<double> this[int index] => _vectors.AsSpan(index * _stride, d);

    /// <summary>
    /// scatter = scatter + sign * sum of x x^T: four columns of the sum at a time, <c>count d^2 / 2</c> multiply-adds
    /// in all.
    /// </summary>
    /// <param name="scatter">See <see cref="PackedTriangle"/>.</param>
    /// <param name="sign">1, or -1 to take the products out again.</param>
    public void AddTo(Span<double> scatter, int sign)
    {
        for (int j = 0, at = 0; j < d; j++)
        {
            var c = j % PanelKernel.Width;
            if (c == 0)
                PanelKernel.Multiply(
                    _vectors,
                    _stride,
                    j,
                    _vectors.AsSpan(j),
                    _stride,
                    1,
                    count,
                    -1,
                    _panel,
                    subtract: false
                );
            var sum = _panel.AsSpan(c * _stride + j, d - j);
            var column = scatter.Slice(at, d - j);
            if (sign > 0)
                TensorPrimitives.Add(column, sum, column);
            else
                TensorPrimitives.Subtract(column, sum, column);
            at += d - j;
        }
    }
}
