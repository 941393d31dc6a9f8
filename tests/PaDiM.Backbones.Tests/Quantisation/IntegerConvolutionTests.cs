using System.Runtime.InteropServices;
using PaDiM.Backbones.Tests.Support;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Quantisation;

public sealed class IntegerConvolutionTests
{
    private const int Size = 32,
        In = 3,
        Out = 8,
        Kernel = 3,
        Stride = 2;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_quantised_convolution_equals_slow_integer_arithmetic_to_the_last_step(bool relu)
    {
        var network = new OnnxGraph().Input("pixels", -1, 3, Size, Size).Conv("pixels", "c", In, Out, Kernel, Stride);
        network = relu ? network.Relu("c", "y").Output("y") : network.Node("Identity", ["c"], ["y"]).Output("y");
        var made = Quantising.Quantise(
            network,
            Quantising.Everything,
            """{ "taps": [{ "tensor": "TAP" }] }""".Replace("TAP", relu ? "y" : "c", StringComparison.Ordinal)
        );
        var graph = Quantising.GraphOf(made);
        var tap = graph.Output.Single().Name;
        var random = new Random(3);
        var pixels = Enumerable.Range(0, In * Size * Size).Select(_ => random.NextSingle() * 4 - 2).ToArray();
        var run = new GraphSessionRun(made.Onnx, pixels, Size);
        Assert.Equal(Twin(graph, tap, pixels), run.Output);
    }

    /// <summary>
    /// Rounds the image, adds up products of integers, multiplies by the scales, rounds to even and saturates.
    /// </summary>
    private static float[] Twin(GraphProto graph, string tap, float[] pixels)
    {
        var inScale = Values<float>("pixels_scale")[0];
        var inZero = Values<byte>("pixels_zero_point")[0];
        var outScale = Values<float>($"{tap}_scale")[0];
        var outZero = Values<byte>($"{tap}_zero_point")[0];
        var weight = Values<sbyte>($"{tap}_weight");
        var weightScale = Values<float>($"{tap}_weight_scale");
        var bias = Values<int>($"{tap}_bias");
        int[] image = [.. pixels.Select(value => Math.Clamp((int)MathF.Round(value / inScale) + inZero, 0, 255))];
        const int side = Size / Stride;
        var output = new float[Out * side * side];
        for (var o = 0; o < Out; o++)
        {
            for (var y = 0; y < side; y++)
            {
                for (var x = 0; x < side; x++)
                {
                    var sum = bias[o];
                    for (var i = 0; i < In; i++)
                    for (var ky = 0; ky < Kernel; ky++)
                    for (var kx = 0; kx < Kernel; kx++)
                    {
                        var row = Stride * y + ky - 1;
                        var column = Stride * x + kx - 1;
                        if (row < 0 || row >= Size || column < 0 || column >= Size)
                            continue;
                        sum +=
                            (image[(i * Size + row) * Size + column] - inZero)
                            * weight[((o * In + i) * Kernel + ky) * Kernel + kx];
                    }
                    var q = Math.Clamp((int)MathF.Round(sum * (inScale * weightScale[o] / outScale)) + outZero, 0, 255);
                    output[(o * side + y) * side + x] = (q - outZero) * outScale;
                }
            }
        }
        return output;

        T[] Values<T>(string name)
            where T : unmanaged =>
            MemoryMarshal.Cast<byte, T>(graph.Initializer.Single(tensor => tensor.Name == name).RawData.Span).ToArray();
    }
}
