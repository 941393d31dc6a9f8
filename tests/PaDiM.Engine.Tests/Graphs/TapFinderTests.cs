using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Graphs;

public sealed class TapFinderTests
{
    [Fact]
    public void The_built_in_network_gives_its_outputs() =>
        Assert.Equal(
            ["stride4", "stride8", "stride16"],
            TapFinder.Find(Open(Path.Combine(BackboneDirectories.BuiltIn, "tiny.onnx")))
        );

    [Theory]
    [InlineData("resnet18", "layer1", "layer2", "layer3")]
    [InlineData("squeezenet1_1", "fire3", "fire5", "fire8")]
    public void Real_networks_give_their_layers(string name, params string[] expected)
    {
        var file = $"backbones/{name}.onnx";
        Assert.SkipUnless(SharedFolder.Has(file), SharedFolder.Missing(file));
        var graph = Open(SharedFolder.Path(file));
        Assert.Equal(expected, TapFinder.Find(graph));
        // With the deepest map for its only output, as a feature extractor would be exported, the finer ones are found
        // again.
        Assert.Equal(expected, TapFinder.Find(graph.WithOutputs([expected[^1]])));
    }

    [Fact]
    public void A_classifier_gives_the_last_tensor_of_each_stride() =>
        Assert.Equal(
            ["r2", "r3", "r4"],
            TapFinder.Find(GraphEditor.Open(OnnxGraph.Classifier(-1, 3, -1, -1).ToArray()))
        );

    [Fact]
    public void Strides_run_on_through_pooling_branches_and_sums()
    {
        var graph = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Conv("x", "stem", 3, 4, 3, 2)
            .Node("MaxPool", ["stem"], ["pool"], OnnxGraph.Ints("kernel_shape", 2, 2), OnnxGraph.Ints("strides", 2, 2))
            .Conv("pool", "left", 4, 4, 3, 1)
            .Conv("pool", "right", 4, 4, 1, 1)
            .Node("Add", ["left", "right"], ["sum"])
            .Relu("sum", "out")
            .Output("out");
        Assert.Equal(["out"], TapFinder.Find(GraphEditor.Open(graph.ToArray())));
    }

    /// <summary>Of four blocks the second, third and last, each as the next layer reads it.</summary>
    [Theory]
    [InlineData("free", "/network/blocks.2/norm1/Add_1_output_0", "/network/blocks.3/norm1/Add_1_output_0")]
    [InlineData("dinov2", "/network/blocks.2/norm1/Add_1_output_0", "/network/blocks.3/norm1/Add_1_output_0")]
    [InlineData(
        "dinov2_registers",
        "/network/blocks.2/norm1/LayerNormalization_output_0",
        "/network/blocks.3/norm1/LayerNormalization_output_0"
    )]
    [InlineData("dinov3", "/network/blocks.2/norm1/Add_1_output_0", "/network/blocks.3/norm1/Add_1_output_0")]
    public void A_vision_transformer_gives_the_tokens_of_its_later_blocks(string name, params string[] expected)
    {
        var graph = GraphEditor.Open(TransformerFiles.Read(name));
        Assert.Equal([.. expected, "last_hidden_state"], TapFinder.Find(graph));
        // With the last tokens for its only output, the earlier ones are found again.
        Assert.Equal([.. expected, "last_hidden_state"], TapFinder.Find(graph.WithOutputs(["last_hidden_state"])));
    }

    [Fact]
    public void A_graph_without_feature_maps_asks_for_a_manifest()
    {
        var graph = new OnnxGraph().Input("x", -1, 3, -1, -1).Node("GlobalAveragePool", ["x"], ["y"]).Output("y");
        Assert.Contains(
            "manifest",
            Assert.Throws<InvalidDataException>(() => TapFinder.Find(GraphEditor.Open(graph.ToArray()))).Message,
            StringComparison.Ordinal
        );
    }

    private static GraphEditor Open(string path) => GraphEditor.Open(File.ReadAllBytes(path));
}
