using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Appends the choice of channels to a backbone: of each tap only its chosen channels come out, in order, as (n, h, w,
/// chosen). Layers that nothing but a tap reads are narrowed to what is chosen, filter by filter, back to the last
/// convolutions; where other layers read all channels, a product with unit rows chooses. Both are exact.
/// </summary>
internal sealed class ChannelChoice
{
    private readonly GraphBuilder _builder;
    private readonly Constants _constants;
    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _readers;
    private readonly HashSet<string> _outputs;

    private ChannelChoice(GraphProto graph, long operatorSet)
    {
        _builder = new GraphBuilder(graph, operatorSet);
        _constants = new Constants(graph);
        foreach (var node in graph.Node)
        foreach (var output in node.Output)
            _producers[output] = node;
        _readers = graph.Node.SelectMany(GraphEditor.GetReadNames).CountBy(name => name).ToDictionary(StringComparer.Ordinal);
        _outputs = graph.Output.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The graph with chosen channels only, under the names that <see cref="TapReduction"/> gives.</summary>
    /// <param name="tapped">Its outputs are the taps.</param>
    /// <param name="taps">The taps.</param>
    /// <param name="chosen">For each tap, ascending, at least one.</param>
    public static GraphEditor Append(
        GraphEditor tapped,
        IReadOnlyList<BackboneTap> taps,
        IReadOnlyList<int[]> chosen
    ) =>
        tapped
            .Edit(graph =>
            {
                var choice = new ChannelChoice(graph, tapped.OperatorSet);
                for (var l = 0; l < taps.Count; l++)
                {
                    var tensor = taps[l].Tensor;
                    var channels = taps[l].Channels;
                    var narrow =
                        chosen[l].Length == channels
                            ? tensor
                            : choice.Choose(tensor, channels, chosen[l], $"__tap_{l}", isTap: true);
                    choice._builder.AddNode(
                        "Transpose",
                        TapReduction.GetOutputName(tensor),
                        [narrow],
                        GraphBuilder.CreateListAttribute("perm", 0, 2, 3, 1)
                    );
                }
            })
            .WithOutputs([.. taps.Select(tap => TapReduction.GetOutputName(tap.Tensor))]);

    /// <summary>The name of a tensor's chosen channels.</summary>
    private string Choose(string tensor, int channels, int[] chosen, string suffix, bool isTap)
    {
        var name = tensor + suffix;
        var isReadElsewhere = isTap ? _readers.ContainsKey(tensor) : _readers[tensor] > 1 || _outputs.Contains(tensor);
        return
            !isReadElsewhere
            && _producers.TryGetValue(tensor, out var node)
            && Narrow(node, channels, chosen, suffix) is { } inputs
            ? _builder.AddNode(node.OpType, name, inputs, node.Attribute.Select(attribute => attribute.Clone()))
            : _builder.AddNode(
                "Conv",
                name,
                [
                    tensor,
                    _builder.AddConstant($"{name}__rows", [chosen.Length, channels, 1, 1], CreateUnitRows(channels, chosen)),
                ]
            );
    }

    /// <summary>
    /// What a layer has to read so that its chosen channels come out; null where it is none that can be narrowed.
    /// </summary>
    private string[]? Narrow(NodeProto node, int channels, int[] chosen, string suffix)
    {
        string[] inputs = [.. node.Input];
        switch (node.OpType)
        {
            case "Conv"
                when (node.Attribute.FirstOrDefault(attribute => attribute.Name == "group")?.I ?? 1) == 1
                    && GetChannels(node.Output[0]) == channels:
                return Slice(inputs, chosen, suffix);
            case "BatchNormalization"
                when node.Output.Count == 1
                    && GetChannels(node.Output[0]) == channels
                    && Slice(inputs, chosen, suffix) is { } sliced:
                return [Choose(inputs[0], channels, chosen, suffix, isTap: false), .. sliced[1..]];
            case "Relu" or "LeakyRelu" or "Clip" or "HardSwish" or "Sigmoid":
                return [Choose(inputs[0], channels, chosen, suffix, isTap: false), .. inputs[1..]];
            case "Add" when Array.TrueForAll(inputs, input => GetChannels(input) == channels) && inputs[0] != inputs[1]:
                return Array.ConvertAll(inputs, input => Choose(input, channels, chosen, suffix, isTap: false));
            default:
                return null;
        }
    }

    /// <summary>
    /// The inputs of a layer but the first cut to their chosen rows; null where the file does not hold the values of
    /// one.
    /// </summary>
    private string[]? Slice(string[] inputs, int[] chosen, string suffix)
    {
        var tensors = inputs.Skip(1).Select(_constants.Find).ToArray();
        if (Array.Exists(tensors, tensor => tensor is null))
            return null;
        return
        [
            inputs[0],
            .. tensors.Select(
                (tensor, i) =>
                {
                    var (shape, values) = tensor!.Value;
                    var row = values.Length / shape[0];
                    return _builder.AddConstant(
                        $"{inputs[i + 1]}{suffix}",
                        [chosen.Length, .. shape[1..].Select(extent => (long)extent)],
                        [.. chosen.SelectMany(channel => values.AsSpan(channel * row, row).ToArray())]
                    );
                }
            ),
        ];
    }

    /// <summary>Channels of a tensor that convolutions lead to; null where something else does.</summary>
    private int? GetChannels(string tensor) =>
        !_producers.TryGetValue(tensor, out var node)
            ? null
            : node.OpType switch
            {
                "Conv" or "BatchNormalization" => _constants.Find(node.Input[1])?.Shape[0],
                "Relu" or "LeakyRelu" or "Clip" or "HardSwish" or "Sigmoid" or "MaxPool" or "AveragePool" => GetChannels(
                    node.Input[0]
                ),
                "Add" => node.Input.Select(GetChannels).Distinct().ToArray() is [{ } same] ? same : null,
                _ => null,
            };

    private static float[] CreateUnitRows(int channels, int[] chosen)
    {
        var rows = new float[chosen.Length * channels];
        for (var k = 0; k < chosen.Length; k++)
            rows[k * channels + chosen[k]] = 1;
        return rows;
    }
}
