using System.Numerics.Tensors;

namespace PaDiM.Core.Embedding;

/// <summary>Projects the concatenated channels: x' = x W, W^T W = I (Kim et al., arXiv 2105.14737).</summary>
public sealed class ChannelProjection : ChannelReduction
{
    private readonly float[] _weights;

    /// <summary>Creates a projection from its weights.</summary>
    /// <param name="tapChannels">Number of channels of each tap, in order; their sum is C.</param>
    /// <param name="weights">W, shape <c>(C, dimensions)</c>, row-major, orthonormal columns.</param>
    /// <param name="dimensions">Number of dimensions d after the reduction, 1 to C.</param>
    /// <param name="seed">The seed that drew W.</param>
    public ChannelProjection(IReadOnlyList<int> tapChannels, float[] weights, int dimensions, int seed)
        : base(ReductionMethod.SemiOrthogonal, tapChannels, dimensions, seed) =>
        _weights = Shapes.CheckLength(weights, (long)InputChannels * dimensions);

    /// <inheritdoc/>
    public override ReadOnlyMemory<float> Weights => _weights;

    /// <summary>
    /// Draws a Gaussian matrix and makes its columns orthonormal by modified Gram-Schmidt, applied twice.
    /// </summary>
    internal static float[] CreateOrthonormalColumns(int rows, int columns, Random random)
    {
        var basis = new double[columns][];
        for (var j = 0; j < columns; j++)
        {
            var column = basis[j] = new double[rows];
            FillGaussian(column, random);
            for (var pass = 0; pass < 2; pass++)
            for (var k = 0; k < j; k++)
                TensorPrimitives.MultiplyAdd(basis[k], -TensorPrimitives.Dot<double>(basis[k], column), column, column);
            TensorPrimitives.Divide(column, TensorPrimitives.Norm<double>(column), column);
        }
        var result = new float[rows * columns];
        for (var i = 0; i < rows; i++)
        for (var j = 0; j < columns; j++)
            result[i * columns + j] = (float)basis[j][i];
        return result;
    }

    /// <summary>Fills a span with normal values by the Box-Muller transform, which gives two at a time.</summary>
    private static void FillGaussian(Span<double> values, Random random)
    {
        for (var i = 0; i < values.Length; i += 2)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            var (sine, cosine) = Math.SinCos(2 * Math.PI * random.NextDouble());
            values[i] = radius * cosine;
            if (i + 1 < values.Length)
                values[i + 1] = radius * sine;
        }
    }
}
