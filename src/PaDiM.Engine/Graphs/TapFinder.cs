using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Chooses taps for a network without a manifest: its outputs if they are feature maps, otherwise the tokens of a
/// vision transformer, otherwise the last tensor that is computed at each of the strides 4, 8 and 16 (layer1..layer3 of
/// a ResNet). Derives strides from convolutions and pooling.
/// </summary>
internal static class TapFinder
{
    private static readonly int[] Strides = [4, 8, 16];
    private static readonly HashSet<string> Convolutions =
    [
        "Conv",
        "ConvInteger",
        "QLinearConv",
        "MaxPool",
        "AveragePool",
        "LpPool",
    ];

    /// <summary>Operators that keep the shape of a feature map, and so its stride.</summary>
    private static readonly HashSet<string> Pointwise =
    [
        "Relu",
        "LeakyRelu",
        "Clip",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Silu",
        "Elu",
        "Gelu",
        "PRelu",
        "Tanh",
        "Erf",
        "Add",
        "Mul",
        "Sub",
        "Div",
        "Concat",
        "BatchNormalization",
        "InstanceNormalization",
        "Dropout",
        "Identity",
        "Cast",
        "QuantizeLinear",
        "DequantizeLinear",
        "Pad",
        "LRN",
    ];

    /// <summary>Finds the taps.</summary>
    /// <returns>Names of tensors, finest first.</returns>
    /// <exception cref="InvalidDataException">The graph has no feature maps at the usual strides; a manifest must name
    /// the taps.</exception>
    public static IReadOnlyList<string> Find(GraphEditor editor)
    {
        var stride = ComputeStrides(editor);
        if (editor.Outputs.All(stride.ContainsKey) && editor.Outputs.Count > 1)
            return editor.Outputs;
        if (PatchLayer.Find(editor) is not null && TokenTaps.Find(editor) is { Count: > 0 } tokens)
            return tokens;
        var taps = new List<string>();
        foreach (var wanted in Strides)
        {
            var last = editor.Graph.Node.LastOrDefault(node =>
                node.Output.Count > 0 && stride.TryGetValue(node.Output[0], out var s) && s == wanted
            );
            if (last is not null)
                taps.Add(last.Output[0]);
        }
        return taps.Count > 0
            ? taps
            : throw new InvalidDataException(
                $"The graph has no feature maps at strides {string.Join(", ", Strides)}."
                    + " Name its taps in a manifest beside it."
            );
    }

    private static Dictionary<string, int> ComputeStrides(GraphEditor editor)
    {
        var stride = editor.Inputs.ToDictionary(name => name, _ => 1, StringComparer.Ordinal);
        foreach (var node in editor.Graph.Node)
        {
            var known = node.Input.Where(stride.ContainsKey).Select(name => stride[name]).ToArray();
            if (known.Length == 0)
                continue;
            if (Convolutions.Contains(node.OpType))
                Set(node, known[0] * GetStep(node));
            else if (Pointwise.Contains(node.OpType))
                Set(node, known.Max());
        }
        return stride;

        void Set(NodeProto node, int value)
        {
            foreach (var output in node.Output)
                stride[output] = value;
        }
    }

    private static int GetStep(NodeProto node) =>
        (int)(node.Attribute.FirstOrDefault(a => a.Name == "strides")?.Ints.FirstOrDefault(1) ?? 1);
}
