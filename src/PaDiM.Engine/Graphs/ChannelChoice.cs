using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Appends the selection of channels to a backbone: the outputs contain only the chosen channels of each tap, in order,
/// as (n, h, w, chosen). Layers that only a tap reads are narrowed to the chosen channels, filter by filter, back to
/// the last convolutions. Where other layers read all channels, a product with unit rows selects. Both are exact.
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
        _readers = graph
            .Node.SelectMany(GraphEditor.GetReadNames)
            .CountBy(name => name)
            .ToDictionary(StringComparer.Ordinal);
        _outputs = graph.Output.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>
    /// Creates the graph with chosen channels only. Its outputs have the names of <see cref="TapReduction"/>.
    /// </summary>
    /// <param name="tapped">The graph whose outputs are the taps.</param>
    /// <param name="taps">The taps.</param>
    /// <param name="chosen">The chosen channels of each tap, ascending, at least one per tap.</param>
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

    /// <summary>Adds the chosen channels of a tensor, and returns the name of the result.</summary>
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
                    _builder.AddConstant(
                        $"{name}__rows",
                        [chosen.Length, channels, 1, 1],
                        CreateUnitRows(channels, chosen)
                    ),
                ]
            );
    }

    /// <summary>
    /// Narrows a layer to its chosen channels, and returns what it must read; null if the layer cannot be narrowed.
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
    /// Cuts all inputs of a layer except the first to the chosen rows; null if the file does not contain the values of
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

    /// <summary>Gets the number of channels of a tensor that comes from convolutions; null for others.</summary>
    private int? GetChannels(string tensor) =>
        !_producers.TryGetValue(tensor, out var node)
            ? null
            : node.OpType switch
            {
                "Conv" or "BatchNormalization" => _constants.Find(node.Input[1])?.Shape[0],
                "Relu" or "LeakyRelu" or "Clip" or "HardSwish" or "Sigmoid" or "MaxPool" or "AveragePool" =>
                    GetChannels(node.Input[0]),
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
