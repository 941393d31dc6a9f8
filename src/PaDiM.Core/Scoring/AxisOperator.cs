using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>
/// A linear map along one axis of a picture in which each output is a weighted sum of a few neighbouring inputs:
/// bilinear upsampling, Gaussian smoothing, or both. Two operators in sequence are composed into one over the original
/// inputs: smoothing an upsampled map then costs as much as its patches, not its pixels. Immutable, thread-safe.
/// </summary>
internal sealed class AxisOperator
{
    private readonly (int First, float[] Weights)[] _outputs;

    private AxisOperator((int First, double[] Weights)[] outputs) =>
        _outputs = Array.ConvertAll(outputs, o => (o.First, Array.ConvertAll(o.Weights, w => (float)w)));

    /// <summary>Gets the number of outputs along the axis.</summary>
    public int OutputCount => _outputs.Length;

    /// <summary>
    /// Creates bilinear interpolation with <c>align_corners = false</c> and clamped borders.
    /// </summary>
    public static AxisOperator CreateUpsampling(int from, int to) => new(CreateBilinear(from, to));

    /// <summary>
    /// Creates bilinear interpolation from the resized part of an original to all of it; 0 where it was cut off.
    /// </summary>
    public static AxisOperator CreateUpsampling(FrameAxis axis, int length) =>
        new(CreateBilinear(axis.TargetLength, length, axis.SourceStart, axis.SourceLength));

    /// <summary>
    /// Creates bilinear interpolation followed by a Gaussian of radius <c>floor(4 sigma + 0.5)</c> outputs with
    /// mirrored borders that do not repeat the edge.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Sigma is negative.</exception>
    public static AxisOperator CreateSmoothing(int from, int to, double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sigma);
        var bilinear = CreateBilinear(from, to);
        return new AxisOperator([.. CreateGaussian(to, sigma).Select(smooth => Compose(smooth, bilinear))]);
    }

    /// <summary>Applies the operator down the columns.</summary>
    /// <param name="rows">Shape <c>(inputs, width)</c>.</param>
    /// <param name="width">Number of columns.</param>
    /// <param name="result">Shape <c>(<see cref="OutputCount"/>, width)</c>.</param>
    public void Apply(ReadOnlySpan<float> rows, int width, Span<float> result)
    {
        for (var y = 0; y < _outputs.Length; y++)
        {
            var (first, weights) = _outputs[y];
            var row = result.Slice(y * width, width);
            // Output row y = sum of input rows times weights: vectors run along rows, and no sum crosses lanes.
            TensorPrimitives.Multiply(rows.Slice(first * width, width), weights[0], row);
            for (var k = 1; k < weights.Length; k++)
                TensorPrimitives.MultiplyAdd(rows.Slice((first + k) * width, width), weights[k], row, row);
        }
    }

    private static (int First, double[] Weights)[] CreateBilinear(int from, int to) => CreateBilinear(from, to, 0, to);

    /// <summary>Creates bilinear interpolation to the outputs from one place on; the others are 0.</summary>
    private static (int First, double[] Weights)[] CreateBilinear(int from, int to, double start, double length)
    {
        var outputs = new (int, double[])[to];
        for (var i = 0; i < to; i++)
        {
            if (i + 0.5 < start || i + 0.5 > start + length)
            {
                outputs[i] = (0, [0]);
                continue;
            }
            var centre = Math.Clamp((i + 0.5 - start) * from / length - 0.5, 0, from - 1);
            var low = (int)centre;
            outputs[i] = centre > low ? (low, [1 - (centre - low), centre - low]) : (low, [1]);
        }
        return outputs;
    }

    private static IEnumerable<(int First, double[] Weights)> CreateGaussian(int length, double sigma)
    {
        var radius = (int)(4 * sigma + 0.5);
        var kernel = new double[2 * radius + 1];
        for (var i = 0; i < kernel.Length; i++)
            kernel[i] = radius == 0 ? 1 : Math.Exp(-0.5 * Math.Pow((i - radius) / sigma, 2));
        TensorPrimitives.Divide(kernel, TensorPrimitives.Sum<double>(kernel), kernel);
        for (var i = 0; i < length; i++)
        {
            var first = Math.Max(0, i - radius);
            var last = Math.Min(length - 1, i + radius);
            // Inputs that are mirrored at one end may lie outside of the kernel's own range, or past the other end.
            for (var k = -radius; k <= radius; k++)
            {
                first = Math.Min(first, Mirror(i + k, length));
                last = Math.Max(last, Mirror(i + k, length));
            }
            var weights = new double[last - first + 1];
            for (var k = -radius; k <= radius; k++)
                weights[Mirror(i + k, length) - first] += kernel[k + radius];
            yield return (first, weights);
        }
    }

    /// <summary>Composes one output of a second operator with all outputs of a first one.</summary>
    private static (int First, double[] Weights) Compose(
        (int First, double[] Weights) after,
        (int First, double[] Weights)[] before
    )
    {
        var first = int.MaxValue;
        var last = 0;
        for (var k = 0; k < after.Weights.Length; k++)
        {
            var inner = before[after.First + k];
            first = Math.Min(first, inner.First);
            last = Math.Max(last, inner.First + inner.Weights.Length - 1);
        }
        var weights = new double[last - first + 1];
        for (var k = 0; k < after.Weights.Length; k++)
        {
            var inner = before[after.First + k];
            for (var m = 0; m < inner.Weights.Length; m++)
                weights[inner.First - first + m] += after.Weights[k] * inner.Weights[m];
        }
        return (first, weights);
    }

    /// <summary>Maps an index outside of the axis to its mirror image, such as -1 to 1.</summary>
    private static int Mirror(int index, int length)
    {
        if (length == 1)
            return 0;
        var period = 2 * (length - 1);
        index = Math.Abs(index) % period;
        return index < length ? index : period - index;
    }
}
