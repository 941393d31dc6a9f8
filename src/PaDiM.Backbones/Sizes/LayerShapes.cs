using PaDiM.Core.Geometry;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.Inference;

namespace PaDiM.Backbones.Sizes;

/// <summary>
/// Finds the layers of a network that are made for one batch size or one image size, by the shapes that their tensors
/// have at the network's own size, and replaces what is fixed.
/// </summary>
/// <param name="graph">The network, with an input of any size.</param>
/// <param name="patches">The layer that cuts images into patches; null for other networks.</param>
/// <param name="native">The network's own size.</param>
internal sealed class LayerShapes(GraphEditor graph, PatchLayer? patches, Grid native)
{
    private readonly IReadOnlySet<string> _fromPixels = graph.FindComputedFromInputs();
    private readonly Dictionary<string, NodeProto> _producers = graph
        .Graph.Node.SelectMany(node => node.Output.Select(output => (output, node)))
        .Where(pair => pair.output.Length > 0)
        .ToDictionary(pair => pair.output, pair => pair.node, StringComparer.Ordinal);
    private readonly List<PositionTable> _positions = [];
    private readonly List<RotaryTable> _rotary = [];
    private Dictionary<string, long[]> _shapes = [];

    /// <summary>Gets the ways to interpolate the positions, the likeliest first.</summary>
    public IReadOnlyList<PositionInterpolation> Interpolations =>
        _positions.Count == 0 ? [PositionInterpolation.Plain]
        : HasRegisters
            ? [PositionInterpolation.Antialiasing, PositionInterpolation.Plain, PositionInterpolation.Offsetting]
        : [PositionInterpolation.Offsetting, PositionInterpolation.Plain, PositionInterpolation.Antialiasing];

    private PatchCounts? Counts { get; } =
        patches is null ? null : new PatchCounts(native.Height / patches.Size, native.Width / patches.Size);

    /// <summary>Gets whether more tokens than one belong to no patch.</summary>
    private bool HasRegisters =>
        graph.Outputs.Any(tap =>
            _shapes.TryGetValue(tap, out var shape) && shape.Length == 3 && shape[1] > Counts!.Count + 1
        );

    /// <summary>Runs the network once at its own size; false if it does not run.</summary>
    public bool TryMeasure(BackboneRuntime runtime)
    {
        var layers = graph.Graph.Node.Where(IsMeasured).ToArray();
        string[] tensors =
        [
            .. layers
                .SelectMany(node =>
                    node.Input.Take(node.OpType is "Concat" or "Add" or "Mul" ? node.Input.Count : 1)
                        .Concat(node.Output)
                )
                .Concat(graph.Outputs)
                .Where(name => name.Length > 0)
                .Distinct(),
        ];
        if (NativeRun.TryRun(graph, tensors, 1, native, runtime, onlyShapes: true) is not { } measured)
            return false;
        _shapes = tensors
            .Zip(measured)
            .ToDictionary(pair => pair.First, pair => pair.Second.Shape, StringComparer.Ordinal);
        return Counts is null || TryFindTables(layers, runtime);
    }

    /// <summary>Creates the network with free sizes.</summary>
    public GraphEditor Free(PositionInterpolation interpolation) =>
        graph.Edit(edited =>
        {
            var pieces = new DimensionPieces(new GraphBuilder(edited, graph.OperatorSet), patches);
            foreach (var node in edited.Node.ToArray())
                Free(edited, node, pieces);
            foreach (var table in _positions)
                ReplaceInputs(edited, table.Name, table.AddTo(pieces, interpolation));
            foreach (var table in _rotary)
                ReplaceInputs(edited, table.Name, table.AddTo(pieces));
            GraphEditor.Sort(edited);
        });

    private bool IsMeasured(NodeProto node) =>
        node.OpType switch
        {
            "Reshape" or "Split" => _fromPixels.Contains(node.Input[0]),
            "Concat" or "Add" or "Mul" => node.Input.Any(_fromPixels.Contains) && !node.Input.All(_fromPixels.Contains),
            _ => false,
        };

    private void Free(GraphProto edited, NodeProto node, DimensionPieces pieces)
    {
        if (!IsMeasured(node))
            return;
        switch (node.OpType)
        {
            case "Reshape":
                if (
                    FreedReshape.AddShape(
                        pieces,
                        node.Input[0],
                        _shapes[node.Input[0]],
                        _shapes[node.Output[0]],
                        Counts,
                        $"{node.Output[0]}/any_shape"
                    ) is
                    { } shape
                )
                {
                    node.Input[1] = shape;
                    node.Attribute.Clear();
                }
                break;
            case "Concat":
                FreeConcat(node, pieces);
                break;
            case "Split":
                FreeSplit(edited, node, pieces);
                break;
        }
    }

    /// <summary>Repeats the fixed tokens, which are there once, for each image of the batch.</summary>
    private void FreeConcat(NodeProto node, DimensionPieces pieces)
    {
        var fromPixels = node.Input.First(_fromPixels.Contains);
        for (var i = 0; i < node.Input.Count; i++)
            if (!_fromPixels.Contains(node.Input[i]) && _shapes[node.Input[i]] is [1, _, ..] shape)
                node.Input[i] = pieces.Builder.AddNode(
                    "Expand",
                    DimensionPieces.GetName($"{node.Output[0]}/{i}"),
                    [
                        node.Input[i],
                        pieces.AddShape(
                            $"{node.Output[0]}/{i}/any_shape",
                            [
                                pieces.GetExtent(fromPixels, 0),
                                .. Enumerable.Repeat(pieces.GetConstant(1), shape.Length - 1),
                            ]
                        ),
                    ]
                );
    }

    /// <summary>Replaces a division into the patches' tokens and others, which states both numbers.</summary>
    private void FreeSplit(GraphProto edited, NodeProto node, DimensionPieces pieces)
    {
        if (Counts is null || node.Output.Count != 2)
            return;
        var (whole, first, second) = (_shapes[node.Input[0]], _shapes[node.Output[0]], _shapes[node.Output[1]]);
        var axis = Enumerable.Range(0, whole.Length).FirstOrDefault(i => whole[i] != second[i], -1);
        if (axis < 1 || second[axis] != Counts.Count)
            return;
        pieces.Builder.AddSlice(node.Output[0], node.Input[0], axis, 0, first[axis]);
        pieces.Builder.AddSlice(node.Output[1], node.Input[0], axis, first[axis]);
        edited.Node.Remove(node);
    }

    /// <summary>Finds the tables of positions; false if one cannot be read.</summary>
    private bool TryFindTables(NodeProto[] layers, BackboneRuntime runtime)
    {
        string[] added = FindTables("Add");
        string[] multiplied = FindTables("Mul");
        string?[] sources = [.. added.Select(FindBeforeResize)];
        string[] names = [.. added.Concat(multiplied).Concat(sources.OfType<string>()).Distinct()];
        if (names.Length == 0)
            return true;
        if (NativeRun.TryRun(graph, names, 1, native, runtime) is not { } read)
            return false;
        var values = names.Zip(read).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        foreach (var (name, source) in added.Zip(sources))
            _positions.Add(CreatePositions(name, values[name], source is null ? null : values[source]));
        foreach (var name in multiplied)
            if (RotaryTable.Find(name, values[name], Counts!) is { } table)
                _rotary.Add(table);
        return true;

        string[] FindTables(string type) =>
            [
                .. layers
                    .Where(node => node.OpType == type)
                    .SelectMany(node => node.Input)
                    .Where(name => !_fromPixels.Contains(name) && IsTable(_shapes[name]))
                    .Distinct(),
            ];
    }

    /// <summary>Gets whether a tensor can have a vector per token.</summary>
    private bool IsTable(long[] shape) =>
        shape.Length >= 2
        && shape[^2] >= Counts!.Count
        && shape[^2] <= Counts.Count + PatchCounts.MostOthers
        && shape[..^2].All(extent => extent == 1);

    /// <summary>
    /// Creates a table from what it was interpolated from, if the graph does that, otherwise from itself. Vectors of
    /// tokens that belong to no patch are not interpolated.
    /// </summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="used">Its values.</param>
    /// <param name="source">What it was interpolated from, (1, channels, rows, columns).</param>
    private PositionTable CreatePositions(string name, TensorValues used, TensorValues? source)
    {
        var channels = (int)used.Shape[^1];
        var others = (int)used.Shape[^2] - Counts!.Count;
        if (source is null || source.Shape is not [1, _, var rows, var columns] || source.Shape[1] != channels)
            return new(name, others, Counts.Rows, Counts.Columns, channels, used.Values);
        var positions = (int)(rows * columns);
        var values = new float[(others + positions) * channels];
        used.Values.AsSpan(0, others * channels).CopyTo(values);
        for (var c = 0; c < channels; c++)
        for (var p = 0; p < positions; p++)
            values[(others + p) * channels + c] = source.Values[c * positions + p];
        return new(name, others, (int)rows, (int)columns, channels, values);
    }

    /// <summary>Finds the input of the Resize that a tensor comes from; null if there is none.</summary>
    private string? FindBeforeResize(string name)
    {
        var pending = new Stack<string>([name]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (pending.TryPop(out var next))
        {
            if (!seen.Add(next) || !_producers.TryGetValue(next, out var node))
                continue;
            if (node.OpType is "Resize" or "Upsample")
                return node.Input[0];
            foreach (var input in node.Input)
                pending.Push(input);
        }
        return null;
    }

    private static void ReplaceInputs(GraphProto edited, string name, string replacement)
    {
        foreach (var node in edited.Node)
            for (var i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == name)
                    node.Input[i] = replacement;
    }
}
