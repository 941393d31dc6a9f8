using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Appends the reduction of channels to a backbone: for each tap a product of its C_l channels with weights that are an
/// input of the graph, shape (C_l, d). The outputs have the shape (n, h, w, d), so that a patch's vector is contiguous.
/// The channels are moved to the last axis before the product; ONNX Runtime merges that with the reordering from its
/// own layout.
/// </summary>
internal static class TapReduction
{
    private const string Suffix = "__reduced";

    /// <summary>Gets the name of the input for the weights of a tap.</summary>
    public static string GetWeightsName(string tap) => $"{tap}{Suffix}_weights";

    /// <summary>Gets the name of the output with the reduced map of a tap.</summary>
    public static string GetOutputName(string tap) => $"{tap}{Suffix}";

    /// <summary>Creates the graph whose outputs are the reduced taps.</summary>
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
