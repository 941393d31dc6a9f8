using System.Buffers;
using System.Numerics.Tensors;

namespace PaDiM.Core.Embedding;

/// <summary>Projects the concatenated channels: x' = x W, W^T W = I (Kim et al., arXiv 2105.14737), as one 1x1 convolution a tap.</summary>
public sealed class ChannelProjection : ChannelReduction
{
    private readonly float[] weights;

    /// <summary>A projection with stated weights.</summary>
    /// <param name="tapChannels">Channels of each tap, in order; their sum is C.</param>
    /// <param name="weights">W, shape <c>(C, dimensions)</c>, row-major, orthonormal columns.</param>
    /// <param name="dimensions">d.</param>
    /// <param name="seed">The seed that drew W.</param>
    public ChannelProjection(IReadOnlyList<int> tapChannels, float[] weights, int dimensions, int seed)
        : base(ReductionMethod.SemiOrthogonal, tapChannels, dimensions, seed) =>
        this.weights = Shapes.Checked(weights, (long)InputChannels * dimensions);

    /// <summary>W, shape <c>(C, d)</c>, row-major.</summary>
    public ReadOnlySpan<float> Weights => weights;

    /// <summary>A Gaussian matrix made orthonormal, column by column, by modified Gram-Schmidt done twice.</summary>
    internal static float[] OrthonormalColumns(int rows, int columns, Random random)
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
            for (var j = 0; j < columns; j++) result[i * columns + j] = (float)basis[j][i];
        return result;
    }

    /// <summary>Box and Muller's transform; both of its values are used.</summary>
    private static void FillGaussian(Span<double> values, Random random)
    {
        for (var i = 0; i < values.Length; i += 2)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            var (sine, cosine) = Math.SinCos(2 * Math.PI * random.NextDouble());
            values[i] = radius * cosine;
            if (i + 1 < values.Length) values[i + 1] = radius * sine;
        }
    }

    private protected override void Accumulate(FeatureMap tap, int firstChannel, PatchEmbedding embedding, ParallelOptions parallel)
    {
        var (d, fine, coarse) = (Dimensions, embedding.Grid, tap.Grid);
        if (coarse == fine)
        {
            Partition.Run(fine.Height, parallel, y => ProjectRow(tap, firstChannel, y, embedding.Values.AsSpan(y * fine.Width * d)));
            return;
        }
        var projected = ArrayPool<float>.Shared.Rent(coarse.Positions * d);
        Partition.Run(coarse.Height, parallel, y =>
        {
            var row = projected.AsSpan(y * coarse.Width * d, coarse.Width * d);
            row.Clear();
            ProjectRow(tap, firstChannel, y, row);
        });
        var (rows, columns) = (Nearest(coarse.Height, fine.Height), Nearest(coarse.Width, fine.Width));
        Partition.Run(fine.Height, parallel, y =>
        {
            for (var x = 0; x < fine.Width; x++)
            {
                var target = embedding[y * fine.Width + x];
                TensorPrimitives.Add(target, projected.AsSpan((rows[y] * coarse.Width + columns[x]) * d, d), target);
            }
        });
        ArrayPool<float>.Shared.Return(projected);
    }

    /// <summary>Adds to <paramref name="target"/>, shape (width, d), the projections of one row of positions.</summary>
    private void ProjectRow(FeatureMap tap, int firstChannel, int row, Span<float> target)
    {
        var width = tap.Grid.Width;
        var features = tap.Values.Span[(row * width)..];
        MatrixKernel.AddTransposedProduct(features, tap.Grid.Positions, width, weights.AsSpan(firstChannel * Dimensions), tap.Channels, Dimensions, target);
    }
}
