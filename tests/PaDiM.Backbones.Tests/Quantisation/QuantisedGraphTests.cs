using Google.Protobuf;
using PaDiM.Backbones.Quantisation;
using PaDiM.Backbones.Tests.Support;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Quantisation;

public sealed class QuantisedGraphTests
{
    private const int Size = 64;

    /// <summary>A first layer, a pooling, a residual block, a second pooling, and a layer that gives the tap.</summary>
    private static OnnxGraph Residual() =>
        Pool(
                Pool(Start().Conv("pixels", "c1", 3, 8, 3, 2).Relu("c1", "r1"), "r1", "p1")
                    .Conv("p1", "c2", 8, 8, 3, 1)
                    .Relu("c2", "r2")
                    .Conv("r2", "c3", 8, 8, 3, 1)
                    .Node("Add", ["p1", "c3"], ["sum"])
                    .Relu("sum", "r3"),
                "r3",
                "p2"
            )
            .Conv("p2", "c4", 8, 12, 3, 1)
            .Relu("c4", "r4")
            .Conv("r4", "tap", 12, 6, 1, 1)
            .Output("tap");

    [Fact]
    public void A_residual_block_and_pooling_run_on_integer_kernels()
    {
        var made = Quantising.Quantise(Residual());
        Assert.Equal(3, made.Convolutions);
        Assert.All(made.Manifest.Quantisation!.Sqnr, sqnr => Assert.True(sqnr > 25, $"{sqnr} dB"));
        var kernels = Quantising.KernelsOf(made.Onnx);
        Assert.Equal(3, kernels.Count(kernel => kernel == "QLinearConv"));
        Assert.Single(kernels, "QLinearAdd");
        Assert.Equal(2, kernels.Count(kernel => kernel is "Conv" or "FusedConv"));
        Assert.DoesNotContain("Relu", kernels.Where((_, i) => i > Array.IndexOf(kernels, "QLinearConv")));
        // Image, first layer's result and last layer's input are all that is converted.
        Assert.InRange(kernels.Count(kernel => kernel is "QuantizeLinear" or "DequantizeLinear"), 2, 3);
    }

    [Fact]
    public void A_first_layer_that_is_written_in_two_stays_float32_whole()
    {
        var made = Quantising.Quantise(
            Start()
                .Conv("pixels", "few", 3, 4, 3, 2)
                .Conv("few", "c1", 4, 8, 1, 1)
                .Relu("c1", "r1")
                .Conv("r1", "few2", 8, 4, 3, 1)
                .Conv("few2", "c2", 4, 8, 1, 1)
                .Relu("c2", "r2")
                .Conv("r2", "tap", 8, 6, 1, 1)
                .Output("tap")
        );
        Assert.Equal(2, made.Convolutions);
        Assert.Equal(3, Quantising.KernelsOf(made.Onnx).Count(kernel => kernel is "Conv" or "FusedConv"));
    }

    [Fact]
    public void A_pooling_keeps_the_scale_of_what_it_reads()
    {
        var graph = Quantising.GraphOf(Quantising.Quantise(Residual()));
        var pooled = graph.Node.Single(node => node.OpType == "QuantizeLinear" && node.Output[0] == "p2_quantized");
        Assert.Equal("r3_scale", pooled.Input[1]);
    }

    [Fact]
    public void The_same_images_give_the_same_bytes()
    {
        var first = Quantising.Quantise(Residual());
        var second = Quantising.Quantise(Residual());
        Assert.Equal(first.Onnx, second.Onnx);
        Assert.Equal(first.Manifest.ToJson(), second.Manifest.ToJson());
    }

    [Fact]
    public void Layers_that_are_not_known_stay_float32_between_integer_ones()
    {
        var made = Quantising.Quantise(
            Start()
                .Conv("pixels", "c1", 3, 8, 3, 2)
                .Node("HardSwish", ["c1"], ["h1"])
                .Conv("h1", "c2", 8, 8, 3, 1)
                .Node("HardSwish", ["c2"], ["h2"])
                .Weight("deep", [8, 1, 3, 3], [.. Enumerable.Range(0, 72).Select(i => i % 7 - 3f)])
                .Node("Conv", ["h2", "deep"], ["c3"], OnnxGraph.Int("group", 8), OnnxGraph.Ints("pads", 1, 1, 1, 1))
                .Node("GlobalAveragePool", ["c3"], ["mean"])
                .Node("Sigmoid", ["mean"], ["gate"])
                .Node("Mul", ["c3", "gate"], ["gated"])
                .Conv("gated", "c4", 8, 8, 1, 1)
                .Node("Add", ["c4", "c2"], ["tap"])
                .Output("tap")
        );
        Assert.Equal(3, made.Convolutions);
        Assert.All(made.Manifest.Quantisation!.Sqnr, sqnr => Assert.True(sqnr > 25, $"{sqnr} dB"));
        Assert.Equal(3, Quantising.KernelsOf(made.Onnx).Count(kernel => kernel == "QLinearConv"));
    }

    [Fact]
    public void A_clip_from_0_upwards_is_left_to_saturation_and_another_is_not()
    {
        var clipped = Start()
            .Weight("low", [], [0])
            .Weight("high", [], [6])
            .Weight("below", [], [-1])
            .Conv("pixels", "c1", 3, 8, 3, 2)
            .Node("Clip", ["c1", "low", "high"], ["k1"])
            .Conv("k1", "c2", 8, 8, 3, 1)
            .Node("Clip", ["c2", "low", "high"], ["k2"])
            .Conv("k2", "c3", 8, 8, 3, 1)
            .Node("Clip", ["c3", "below", "high"], ["k3"])
            .Conv("k3", "tap", 8, 8, 3, 1)
            .Output("tap");
        var made = Quantising.Quantise(clipped);
        Assert.Equal(
            ["k1", "k3"],
            Quantising.GraphOf(made).Node.Where(node => node.OpType == "Clip").Select(node => node.Output[0])
        );
        Assert.All(made.Manifest.Quantisation!.Sqnr, sqnr => Assert.True(sqnr > 25, $"{sqnr} dB"));
    }

    [Fact]
    public void Batch_normalisation_is_folded_into_the_convolution_before_it()
    {
        var random = new Random(2);
        var graph = Start().Conv("pixels", "c1", 3, 8, 3, 2);
        foreach (var role in new[] { "scale", "shift", "mean", "variance" })
            graph.Weight(role, [8], [.. Enumerable.Range(0, 8).Select(_ => 0.5f + random.NextSingle())]);
        var onnx = graph
            .Node("BatchNormalization", ["c1", "scale", "shift", "mean", "variance"], ["n1"])
            .Relu("n1", "r1")
            .Node("BatchNormalization", ["r1", "scale", "shift", "mean", "variance"], ["tap"])
            .Output("tap")
            .ToArray();
        var folded = BatchNormFolding.Fold(GraphEditor.Open(onnx));
        Assert.Equal(["Conv", "Relu", "BatchNormalization"], folded.Graph.Node.Select(node => node.OpType));
        var expected = OnnxRun.Outputs(onnx, 1, Size)["tap"];
        var actual = OnnxRun.Outputs(folded.ToArray(), 1, Size)["tap"];
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-4);
    }

    [Fact]
    public void A_quantised_network_is_not_quantised_again() =>
        Assert.Contains(
            "integer layers already",
            Refusal(Quantising.Quantise(Residual()).Onnx),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_network_without_a_convolution_to_quantise_is_refused()
    {
        Assert.Contains(
            "no convolution",
            Refusal(Start().Conv("pixels", "c1", 3, 8, 3, 4).Relu("c1", "tap").Output("tap").ToArray()),
            StringComparison.Ordinal
        );
        // Weights that are computed are not in the file.
        var computed = Start()
            .Conv("pixels", "c1", 3, 8, 3, 2)
            .Weight("w", [8, 8, 1, 1], new float[64])
            .Node("Exp", ["w"], ["v"])
            .Node("Conv", ["c1", "v"], ["c2"])
            .Relu("c2", "tap")
            .Output("tap");
        Assert.Contains("no convolution", Refusal(computed.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void An_old_operator_set_is_refused()
    {
        var model = ModelProto.Parser.ParseFrom(Residual().ToArray());
        model.OpsetImport[0].Version = 12;
        Assert.Contains("operator set 12", Refusal(model.ToByteArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_images_are_refused()
    {
        using var folder = new BackboneFolder();
        folder.Put("net", Residual());
        using var quantiser = new PaDiM.Backbones.Quantisation.BackboneQuantiser(
            folder.Registry.Directories.Find("net")!,
            BackboneFolder.Cpu
        );
        Assert.Contains(
            "at least 10 images",
            Assert
                .Throws<InvalidDataException>(() =>
                    quantiser.Run(Quantising.Images(9), Quantising.Chosen, _ => { }, CancellationToken.None)
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    private static string Refusal(byte[] onnx) =>
        Assert.Throws<InvalidDataException>(() => Quantising.Quantise(onnx)).Message;

    private static OnnxGraph Start() => new OnnxGraph().Input("pixels", -1, 3, Size, Size);

    private static OnnxGraph Pool(OnnxGraph graph, string from, string to) =>
        graph.Node(
            "MaxPool",
            [from],
            [to],
            OnnxGraph.Ints("kernel_shape", 3, 3),
            OnnxGraph.Ints("strides", 2, 2),
            OnnxGraph.Ints("pads", 1, 1, 1, 1)
        );
}
