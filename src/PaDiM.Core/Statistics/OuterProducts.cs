using System.Numerics.Tensors;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A sum of outer products x x^T of several vectors, added to a packed triangle in one pass over it. A buffer for one
/// worker; not thread-safe.
/// </summary>
/// <param name="d">Length of a vector.</param>
/// <param name="count">Number of vectors.</param>
internal sealed class OuterProducts(int d, int count)
{
    // The vectors are the columns of a d x count matrix X, so the sum of outer products is X X^T.
    private readonly int _stride = PanelKernel.GetStride(d);
    private readonly double[] _vectors = new double[count * PanelKernel.GetStride(d)],
        _panel = new double[PanelKernel.Width * PanelKernel.GetStride(d)];

    /// <summary>Gets a vector to write, length d.</summary>
    public Span<double> this[int index] => _vectors.AsSpan(index * _stride, d);

    /// <summary>
    /// Computes scatter = scatter + sign * sum of x x^T, four columns of the sum at a time. Cost: <c>count d^2 / 2</c>
    /// multiply-adds.
    /// </summary>
    /// <param name="scatter">A packed triangle; see <see cref="PackedTriangle"/>.</param>
    /// <param name="sign">1 adds the products, -1 removes them.</param>
    public void AddTo(Span<double> scatter, int sign)
    {
        foreach (var column in PackedTriangle.Columns(d))
        {
            var j = column.Index;
            var panelColumn = j % PanelKernel.Width;
            // Every fourth column computes the next panel: columns j to j + 3 of X X^T, from row j down. factor(k, c)
            // is X[j + c, k]: one vector further is a stride away, one column further is the next entry.
            if (panelColumn == 0)
                PanelKernel.Multiply(
                    _vectors,
                    _stride,
                    fromRow: j,
                    _vectors.AsSpan(j),
                    nextFactor: _stride,
                    nextColumn: 1,
                    count,
                    diagonal: -1,
                    _panel,
                    subtract: false
                );
            // Rows above the diagonal are computed along with the panel, but the triangle does not store them.
            var sum = _panel.AsSpan(panelColumn * _stride + j, column.Length);
            var target = column.In(scatter);
            if (sign > 0)
                TensorPrimitives.Add(target, sum, target);
            else
                TensorPrimitives.Subtract(target, sum, target);
        }
    }
}
