using System.Numerics.Tensors;

namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// Represents the weights of a convolution as integers: weight = Scale[o] * Weight[o, ...], bias = inputScale *
/// Scale[o] * Bias[o].
/// </summary>
/// <param name="Shape">Shape <c>(out, in / group, height, width)</c>.</param>
/// <param name="Weight">The symmetric weights, with one scale per output channel.</param>
/// <param name="Scale">The scale of each output channel.</param>
/// <param name="Bias">The bias of each output channel.</param>
internal sealed record QuantisedConvolution(int[] Shape, sbyte[] Weight, float[] Scale, int[] Bias)
{
    /// <summary>Rounds the weights of a convolution.</summary>
    /// <param name="shape">Shape <c>(out, in / group, height, width)</c>.</param>
    /// <param name="weight">The weights, row-major.</param>
    /// <param name="bias">The bias of each output channel.</param>
    /// <param name="group">The groups of the convolution.</param>
    /// <param name="input">The scale of its input.</param>
    /// <param name="inputMeans">The mean of each input channel, to correct the bias; null for no correction.</param>
    /// <param name="bits">The bits of a weight, including the sign.</param>
    public static QuantisedConvolution Round(
        int[] shape,
        float[] weight,
        float[] bias,
        int group,
        ActivationScale input,
        double[]? inputMeans,
        int bits
    )
    {
        // 64 rather than 63 with 7 bits: two products with 255 still fit 16 bits, 2 * 255 * 64 = 32,640.
        var limit = bits == 7 ? 64 : 127;
        var channels = shape[0];
        var perChannel = weight.Length / shape[0];
        var plane = shape[2] * shape[3];
        var rounded = new sbyte[weight.Length];
        var scales = new float[channels];
        var biases = new int[channels];
        for (var o = 0; o < channels; o++)
        {
            var row = weight.AsSpan(o * perChannel, perChannel);
            var scale = Math.Max(
                Math.Abs(TensorPrimitives.MaxMagnitude<float>(row)) / limit,
                GetMinScale(bias[o], input)
            );
            var error = 0.0;
            for (var i = 0; i < perChannel; i++)
            {
                var q = (sbyte)Math.Clamp(Math.Round(row[i] / scale), -limit, limit);
                rounded[o * perChannel + i] = q;
                if (inputMeans is not null)
                    error += ((double)q * scale - row[i]) * inputMeans[o / (channels / group) * shape[1] + i / plane];
            }
            scales[o] = scale;
            biases[o] = (int)
                Math.Clamp(Math.Round((bias[o] - error) / ((double)input.Scale * scale)), int.MinValue, int.MaxValue);
        }
        return new QuantisedConvolution(shape, rounded, scales, biases);
    }

    /// <summary>
    /// Gets the smallest scale for which the bias fits 32 bits with room for the sum, however small the channel's
    /// weights are. It is never 0.
    /// </summary>
    private static float GetMinScale(float bias, ActivationScale input) =>
        (float)Math.Max(Math.Abs((double)bias) / (input.Scale * (double)(1 << 29)), 1e-30);
}
