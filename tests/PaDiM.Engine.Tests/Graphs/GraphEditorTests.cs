using System.Text;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Graphs;

public sealed class GraphEditorTests
{
    private static readonly byte[] Classifier = OnnxGraph.Classifier(1, 3, -1, -1).ToArray();

    [Fact]
    public void Taps_become_the_only_outputs_in_their_order()
    {
        var edited = GraphEditor.Open(Classifier).WithOutputs(["r3", "r2"]);
        Assert.Equal(["r3", "r2"], edited.Outputs);
        Assert.Equal(["pixels"], edited.Inputs);
        Assert.Equal(["r3", "r2"], OnnxRun.Outputs(edited.ToArray(), 1, 32).Keys);
    }

    [Fact]
    public void Layers_and_weights_behind_the_last_tap_are_dropped()
    {
        var edited = GraphEditor.Open(Classifier).WithOutputs(["r2"]);
        Assert.Equal(["c1", "r1", "c2", "r2"], edited.Graph.Node.Select(node => node.Output[0]));
        Assert.Equal(["c1.weight", "c2.weight"], edited.Graph.Initializer.Select(tensor => tensor.Name));
        Assert.True(edited.ToArray().Length < Classifier.Length / 2);
    }

    [Fact]
    public void The_edited_graph_gives_the_values_of_the_full_one()
    {
        var full = OnnxGraph.Classifier(-1, 3, -1, -1).Output("r2").Output("r4").ToArray();
        var expected = OnnxRun.Outputs(full, 2, 40);
        var actual = OnnxRun.Outputs(GraphEditor.Open(full).WithOutputs(["r2", "r4"]).ToArray(), 2, 40);
        Assert.Equal(expected["r2"], actual["r2"]);
        Assert.Equal(expected["r4"], actual["r4"]);
    }

    [Fact]
    public void A_tap_inside_the_built_in_network_has_the_values_that_the_next_layers_read()
    {
        var onnx = File.ReadAllBytes(Path.Combine(BackboneDirectories.BuiltIn, "tiny.onnx"));
        var graph = GraphEditor.Open(onnx);
        var expected = OnnxRun.Outputs(onnx, 1, 64);
        foreach (var tap in graph.Outputs)
            Assert.Equal(expected[tap], OnnxRun.Outputs(graph.WithOutputs([tap]).ToArray(), 1, 64)[tap]);
    }

    [Fact]
    public void A_batch_that_was_fixed_at_export_becomes_free()
    {
        var edited = GraphEditor.Open(Classifier).WithOutputs(["r2"]).ToArray();
        Assert.Equal(3 * 8 * 8 * 8, OnnxRun.Outputs(edited, 3, 32)["r2"].Length);
    }

    [Fact]
    public void The_graph_it_was_made_from_stays_as_it_was()
    {
        var graph = GraphEditor.Open(Classifier);
        var before = graph.ToArray();
        graph.WithOutputs(["r2"]);
        Assert.Equal(["logits"], graph.Outputs);
        Assert.Equal(before, graph.ToArray());
    }

    [Fact]
    public void Fields_that_the_schema_does_not_name_survive()
    {
        var edited = GraphEditor.Open(Classifier).WithOutputs(["r2"]).ToArray();
        Assert.True(edited.AsSpan().IndexOf(Encoding.UTF8.GetBytes("kept as it is")) > 0);
        // Weights, attribute types and operator sets are such fields too: without them no runtime takes the graph.
        Assert.NotEmpty(OnnxRun.Outputs(edited, 1, 32));
    }

    [Fact]
    public void A_subgraph_keeps_the_outer_tensors_that_it_reads()
    {
        var then = new OnnxGraph().Node("Relu", ["c1"], ["then.out"]).Output("then.out");
        var otherwise = new OnnxGraph().Node("Neg", ["c1"], ["else.out"]).Output("else.out");
        var graph = new OnnxGraph()
            .Input("pixels", -1, 3, -1, -1)
            .Conv("pixels", "c1", 3, 4, 3, 4)
            .Node("ReduceMax", ["pixels"], ["most"], OnnxGraph.Int("keepdims", 0))
            .Node("Cast", ["most"], ["any"], OnnxGraph.Int("to", 9))
            .Node(
                "If",
                ["any"],
                ["chosen"],
                OnnxGraph.GraphAttribute("then_branch", then),
                OnnxGraph.GraphAttribute("else_branch", otherwise)
            )
            .Node("Relu", ["c1"], ["unused"])
            .Output("chosen")
            .ToArray();
        var edited = GraphEditor.Open(graph).WithOutputs(["chosen"]);
        Assert.DoesNotContain(edited.Graph.Node, node => node.Output.Contains("unused"));
        Assert.Equal(OnnxRun.Outputs(graph, 1, 16)["chosen"], OnnxRun.Outputs(edited.ToArray(), 1, 16)["chosen"]);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("pixels")]
    [InlineData("c1.weight")]
    [InlineData("")]
    public void A_tensor_that_no_layer_computes_is_named_in_the_error(string tap) =>
        Assert.Contains(
            $"'{tap}'",
            Assert.Throws<InvalidDataException>(() => GraphEditor.Open(Classifier).WithOutputs(["r2", tap])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Weights_in_another_file_are_refused_wherever_they_hide()
    {
        var plain = new OnnxGraph().Input("x", -1, 3, -1, -1).Relu("x", "y").ExternalWeight("w").Output("y");
        var constant = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Relu("x", "y")
            .Output("y")
            .Node("Constant", [], ["w"], OnnxGraph.TensorAttribute("value", OnnxGraph.ExternalTensor("w")));
        var nested = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Relu("x", "y")
            .Output("y")
            .Node("If", ["y"], ["z"], OnnxGraph.GraphAttribute("then_branch", plain));
        foreach (var graph in new[] { plain, constant, nested })
            Assert.Contains(
                "one file",
                Assert.Throws<InvalidDataException>(() => GraphEditor.Open(graph.ToArray())).Message,
                StringComparison.Ordinal
            );
    }

    [Fact]
    public void Junk_is_refused_and_never_anything_else()
    {
        for (var seed = 0; seed < 200; seed++)
            Assert.Throws<InvalidDataException>(() => GraphEditor.Open(Samples.Noise(1 + seed, 3, seed).Pixels));
        Assert.Throws<InvalidDataException>(() => GraphEditor.Open([]));
        Assert.Throws<InvalidDataException>(() => GraphEditor.Open("version https://git-lfs.github.com/spec/v1\n"u8));
        Assert.Throws<InvalidDataException>(() => GraphEditor.Open(new OnnxGraph().Input("x", 1).ToArray()));
    }

    [Fact]
    public void A_file_cut_short_is_refused_or_lacks_layers_but_never_throws_anything_else()
    {
        for (var length = 0; length < Classifier.Length; length += 7)
        {
            try
            {
                GraphEditor.Open(Classifier.AsSpan(0, length)).WithOutputs(["r2"]);
            }
            catch (InvalidDataException) { }
        }
    }

    [Fact]
    public void Nodes_that_name_an_output_that_they_leave_out_do_no_harm()
    {
        var graph = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Node("Dropout", ["x"], ["y", ""])
            .Node("Dropout", ["y"], ["z", ""])
            .Output("z");
        Assert.Equal(
            ["y", "z"],
            GraphEditor.Open(graph.ToArray()).WithOutputs(["z"]).Graph.Node.Select(node => node.Output[0])
        );
    }

    [Fact]
    public void Weights_listed_among_the_inputs_are_no_inputs()
    {
        var graph = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Input("y.weight", 4, 3, 1, 1)
            .Conv("x", "y", 3, 4, 1, 1)
            .Output("y")
            .ToArray();
        Assert.Equal(["x"], GraphEditor.Open(graph).Inputs);
        var edited = GraphEditor.Open(graph).WithOutputs(["y"]);
        Assert.Equal(
            [4, 3, 1, 1],
            edited
                .Graph.Input.Single(input => input.Name == "y.weight")
                .Type.TensorType.Shape.Dim.Select(dim => dim.DimValue)
        );
    }
}
