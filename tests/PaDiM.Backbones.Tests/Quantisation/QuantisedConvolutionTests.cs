using PaDiM.Backbones.Quantisation;

namespace PaDiM.Backbones.Tests.Quantisation;

public sealed class QuantisedConvolutionTests
{
    private static readonly ActivationScale Input = new(0.02f, 10);

    [Theory]
    [InlineData(7, 64)]
    [InlineData(8, 127)]
    public void Each_output_channel_has_a_scale_of_its_own_and_uses_all_of_it(int bits, int most)
    {
        var random = new Random(1);
        float[] weight =
        [
            .. Enumerable.Range(0, 4 * 18).Select(i => (random.NextSingle() - 0.5f) * MathF.Pow(10, i / 18)),
        ];
        var made = QuantisedConvolution.Round([4, 2, 3, 3], weight, new float[4], 1, Input, null, bits);
        for (var o = 0; o < 4; o++)
        {
            var row = weight.AsSpan(o * 18, 18).ToArray();
            Assert.Equal(row.Max(MathF.Abs) / most, made.Scale[o]);
            Assert.Equal(most, made.Weight[(o * 18)..(o * 18 + 18)].Max(q => Math.Abs((int)q)));
            for (var i = 0; i < 18; i++)
                Assert.InRange(Math.Abs(made.Weight[o * 18 + i] * made.Scale[o] - row[i]), 0, made.Scale[o] * 0.5001);
        }
    }

    [Fact]
    public void Two_products_of_7_bit_weights_fit_16_bits() => Assert.True(2 * 255 * 64 <= short.MaxValue);

    [Fact]
    public void A_bias_is_counted_in_steps_of_the_sum_even_where_all_weights_are_0()
    {
        var made = QuantisedConvolution.Round([2, 1, 1, 1], [0.64f, 0], [0.5f, 3], 1, Input, null, 7);
        Assert.Equal(0.5, made.Bias[0] * (double)Input.Scale * made.Scale[0], 1e-4);
        Assert.Equal(3, made.Bias[1] * (double)Input.Scale * made.Scale[1], 1e-4);
    }

    [Fact]
    public void The_mean_error_of_rounded_weights_is_taken_off_the_bias()
    {
        float[] weight = [0.64f, 0.107f, 0.64f, 0.203f];
        double[] means = [2, 5, 7, 11];
        var made = QuantisedConvolution.Round([2, 2, 1, 1], weight, new float[2], group: 2, Input, means, 7);
        for (var o = 0; o < 2; o++)
        {
            var exact = 0.0;
            var rounded = made.Bias[o] * (double)Input.Scale * made.Scale[o];
            for (var i = 0; i < 2; i++)
            {
                exact += weight[2 * o + i] * means[2 * o + i];
                rounded += made.Weight[2 * o + i] * (double)made.Scale[o] * means[2 * o + i];
            }
            Assert.Equal(exact, rounded, 1e-3);
        }
    }

    [Theory]
    [InlineData(0, 2, 0)]
    [InlineData(-1, 3, 64)]
    [InlineData(1, 2, 0)]
    [InlineData(-2, -1, 255)]
    public void Zero_is_exact_in_every_activation_scale(double min, double max, byte zeroPoint) =>
        Assert.Equal(zeroPoint, ActivationScale.FromRange(min, max).ZeroPoint);
}
