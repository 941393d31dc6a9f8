using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Graphs;

public sealed class ChannelChoiceTests
{
    private const int Size = 32;
    private static readonly BackboneTap[] Taps = [new("first", 4, 8), new("last", 8, 10)];

    /// <summary>
    /// A tap that the next layers read, and a last one: a residual block with a normalisation, whose shortcut is read
    /// twice.
    /// </summary>
    private static readonly OnnxGraph Residual = new OnnxGraph()
        .Input("pixels", -1, 3, -1, -1)
        .Conv("pixels", "c1", 3, 8, 3, 2)
        .Relu("c1", "first")
        .Conv("first", "c2", 8, 10, 3, 2)
        .Relu("c2", "shortcut")
        .Conv("shortcut", "c3", 10, 10, 3, 1)
        .Node("BatchNormalization", ["c3", "scale", "shift", "mean", "variance"], ["n3"])
        .Weight("scale", [10], Ramp(0.5f))
        .Weight("shift", [10], Ramp(-1))
        .Weight("mean", [10], Ramp(0.1f))
        .Weight("variance", [10], Ramp(1))
        .Node("Add", ["n3", "shortcut"], ["sum"])
        .Relu("sum", "last")
        .Output("first")
        .Output("last");

    [
        Theory,
        InlineData("1 3 4", "0 9"),
        InlineData("0", "2 3 5 8"),
        InlineData("0 1 2 3 4 5 6 7", "9"),
        InlineData("7", "0 1 2 3 4 5 6 7 8 9")
    ]
    public void Chosen_channels_are_those_of_the_whole_graph(string first, string last)
    {
        int[][] chosen = [Numbers(first), Numbers(last)];
        var whole = OnnxRun.Outputs(Residual.ToArray(), 2, Size);
        var narrow = OnnxRun.Outputs(Choose(chosen).ToArray(), 2, Size);
        for (var l = 0; l < Taps.Length; l++)
        {
            var all = whole[Taps[l].Tensor];
            var some = narrow[TapReduction.GetOutputName(Taps[l].Tensor)];
            var channels = Taps[l].Channels;
            var positions = all.Length / 2 / Taps[l].Channels;
            Assert.Equal(2 * positions * chosen[l].Length, some.Length);
            for (var n = 0; n < 2; n++)
            for (var p = 0; p < positions; p++)
            for (var k = 0; k < chosen[l].Length; k++)
                Assert.Equal(
                    all[(n * channels + chosen[l][k]) * positions + p],
                    some[(n * positions + p) * chosen[l].Length + k],
                    1e-5f
                );
        }
    }

    [Fact]
    public void Layers_that_nothing_else_reads_are_narrowed_and_others_stay_whole()
    {
        var graph = Choose([
            [1],
            [0, 9],
        ]).Graph;
        var filters = graph
            .Initializer.Where(tensor => tensor.Dims.Count == 4)
            .ToDictionary(tensor => tensor.Name, tensor => tensor.Dims.ToArray());
        Assert.Equal([2, 10, 3, 3], filters["c3.weight__tap_1"]);
        Assert.DoesNotContain("c3.weight", filters.Keys);
        Assert.Equal([10, 8, 3, 3], filters["c2.weight"]);
        Assert.Equal([1, 8, 1, 1], filters["first__tap_0__rows"]);
        Assert.Equal([2, 10, 1, 1], filters["shortcut__tap_1__rows"]);
    }

    [Theory, InlineData("Sigmoid"), InlineData("Tanh")]
    public void What_cannot_be_narrowed_is_chosen_from_behind(string activation)
    {
        // A sum with one channel for all, a grouped convolution, a layer that is not known.
        var graph = new OnnxGraph()
            .Input("pixels", -1, 3, -1, -1)
            .Conv("pixels", "c1", 3, 8, 3, 2)
            .Conv("pixels", "one", 3, 1, 3, 2)
            .Node("Add", ["c1", "one"], ["sum"])
            .Node(activation, ["sum"], ["first"])
            .Weight("w", [10, 4, 1, 1], Ramp(0.3f, 40))
            .Node("Conv", ["first", "w"], ["grouped"], OnnxGraph.Int("group", 2))
            .Node(activation, ["grouped"], ["last"])
            .Output("first")
            .Output("last");
        var whole = OnnxRun.Outputs(graph.ToArray(), 1, Size);
        var narrow = OnnxRun.Outputs(
            ChannelChoice
                .Append(
                    GraphEditor.Open(graph.ToArray()),
                    Taps,
                    [
                        [2],
                        [7],
                    ]
                )
                .ToArray(),
            1,
            Size
        );
        Assert.Equal(whole["first"][(2 * 256)..(3 * 256)], narrow["first__reduced"]);
        Assert.Equal(whole["last"][(7 * 256)..(8 * 256)], narrow["last__reduced"]);
    }

    [Theory, InlineData("tiny"), InlineData("tiny-int8")]
    public void Of_the_built_in_networks_the_same_comes_out_as_of_a_product_with_unit_columns(string name)
    {
        using var registry = new BackboneRegistry([], BackboneFolder.Cpu);
        var backbone = registry.Open(name);
        var random = new Random(3);
        var size = new Grid(64, 64);
        var prepared = Enumerable.Range(0, 3 * 3 * 64 * 64).Select(_ => random.NextSingle() * 4 - 2).ToArray();
        // The last choices come too late for graphs of their own.
        for (var seed = 0; seed < 4; seed++)
        {
            var chosen = ChannelReduction.Draw(ReductionMethod.Random, backbone.TapChannels, 40, seed);
            var product = new ChannelProjection(backbone.TapChannels, chosen.Weights.ToArray(), 40, seed);
            using var narrow = backbone.Extract(prepared, 3, size, chosen);
            using var whole = backbone.Extract(prepared, 3, size, product);
            for (var image = 0; image < 3; image++)
                foreach (
                    var (a, b) in PatchEmbedding
                        .FromTaps(narrow.GetTaps(image))
                        .Values.Zip(PatchEmbedding.FromTaps(whole.GetTaps(image)).Values)
                )
                    Assert.Equal(b, a, 1e-4f);
        }
    }

    private static GraphEditor Choose(int[][] chosen) =>
        ChannelChoice.Append(GraphEditor.Open(Residual.ToArray()), Taps, chosen);

    private static int[] Numbers(string text) => [.. text.Split(' ').Select(int.Parse)];

    private static float[] Ramp(float start, int count = 10) =>
        [.. Enumerable.Range(0, count).Select(i => start + 0.1f * i)];
}
