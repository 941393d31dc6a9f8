using System.Numerics.Tensors;
using PaDiM.Core.Embedding;

namespace PaDiM.Core.Statistics;

/// <summary>
/// Mean and scatter of the patches of one image, each weighted by the share of it that counts. A buffer for one worker;
/// not thread-safe.
/// </summary>
/// <param name="d">Length of an embedding vector.</param>
/// <param name="shares">The share of each position that counts; null if all count.</param>
internal sealed class ImageSums(int d, float[]? shares)
{
    /// <summary>Patches whose outer products are added to the scatter at a time, so that it is seldom read.</summary>
    private const int Block = 128;

    private readonly OuterProducts _products = new(d, Block);
    private readonly double[] _vector = new double[d];

    /// <summary>Gets the mean of the patches, length d.</summary>
    public double[] Mean { get; } = new double[d];

    /// <summary>Gets sum w (x - mean)(x - mean)^T over the patches, packed by columns.</summary>
    public double[] Scatter { get; } = new double[PackedTriangle.GetLength(d)];

    /// <summary>Computes the sums of an image, in two passes. Cost: <c>O(positions * d^2)</c>.</summary>
    public void Compute(PatchEmbedding image)
    {
        Array.Clear(Mean);
        Array.Clear(Scatter);
        var total = 0.0;
        for (var p = 0; p < image.Grid.Positions; p++)
        {
            TensorPrimitives.ConvertTruncating<float, double>(image[p], _vector);
            TensorPrimitives.MultiplyAdd(_vector, GetShare(p), Mean, Mean);
            total += GetShare(p);
        }
        TensorPrimitives.Divide(Mean, total, Mean);
        for (var first = 0; first < image.Grid.Positions; first += Block)
        {
            for (var k = 0; k < Block; k++)
                Load(image, first + k, _products[k]);
            _products.AddTo(Scatter, +1);
        }
    }

    /// <summary>Writes sqrt(w) (x - mean); zeros past the last patch.</summary>
    private void Load(PatchEmbedding image, int position, Span<double> product)
    {
        if (position >= image.Grid.Positions)
        {
            product.Clear();
            return;
        }
        TensorPrimitives.ConvertTruncating<float, double>(image[position], product);
        TensorPrimitives.Subtract(product, Mean, product);
        if (shares is not null)
            TensorPrimitives.Multiply(product, Math.Sqrt(shares[position]), product);
    }

    private double GetShare(int position) => shares is null ? 1 : shares[position];
}
