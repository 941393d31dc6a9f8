using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Appends the reduction of channels to a backbone: for each tap a product of its C_l channels with weights that are an
/// input of the graph, shape (C_l, d). Maps come out as (n, h, w, d), a patch's vector in one piece. The channels are
/// moved last before the product; the runtime merges that with leaving its own layout.
/// </summary>
internal static class TapReduction
{
    private const string Suffix = "__reduced";

    /// <summary>Name of the input that takes the weights of a tap.</summary>
    public static string GetWeightsName(string tap) => $"{tap}{Suffix}_weights";

    /// <summary>Name of the reduced map of a tap.</summary>
    public static string GetOutputName(string tap) => $"{tap}{Suffix}";

    /// <summary>The graph with its taps reduced.</summary>
    public static GraphEditor Append(GraphEditor tapped, IReadOnlyList<BackboneTap> taps) =>
        tapped.Edit(graph =>
        {
            graph.Output.Clear();
            foreach (var tap in taps)
            {
                var last = $"{tap.Tensor}{Suffix}_nhwc";
                var weights = GetWeightsName(tap.Tensor);
                var output = GetOutputName(tap.Tensor);
                var order = new AttributeProto
                {
                    Name = "perm",
                    Type = AttributeProto.Types.AttributeType.Ints,
                    Ints = { 0, 2, 3, 1 },
                };
                graph.Node.Add(
                    new NodeProto
                    {
                        OpType = "Transpose",
                        Name = last,
                        Input = { tap.Tensor },
                        Output = { last },
                        Attribute = { order },
                    }
                );
                graph.Node.Add(
                    new NodeProto
                    {
                        OpType = "MatMul",
                        Name = output,
                        Input = { last, weights },
                        Output = { output },
                    }
                );
                graph.Input.Add(GraphEditor.CreateFloat32Tensor(weights, tap.Channels, null));
                graph.Output.Add(GraphEditor.CreateFloat32Tensor(output));
            }
        });
}
