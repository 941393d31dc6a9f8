using Google.Protobuf;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Edits an ONNX graph; each edit returns a new graph. Offers only what feature extraction needs: choosing the outputs,
/// allowing any batch size, and removing layers that nothing reads.
/// </summary>
public sealed class GraphEditor
{
    private const int Float32 = 1;
    private readonly ModelProto _model;

    private GraphEditor(ModelProto model) => _model = model;

    /// <summary>Gets the names of the graph's outputs, in order.</summary>
    public IReadOnlyList<string> Outputs => [.. _model.Graph.Output.Select(output => output.Name)];

    internal GraphProto Graph => _model.Graph;

    /// <summary>Gets the version of ONNX's own operators that the graph uses; 1 if it states none.</summary>
    internal long OperatorSet => _model.OpsetImport.FirstOrDefault(set => set.Domain is "" or "ai.onnx")?.Version ?? 1;

    /// <summary>Gets the names of the inputs that a caller must feed.</summary>
    public IReadOnlyList<string> Inputs
    {
        get
        {
            var weights = _model.Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
            return [.. _model.Graph.Input.Select(input => input.Name).Where(name => !weights.Contains(name))];
        }
    }

    /// <summary>Parses an ONNX file.</summary>
    /// <exception cref="InvalidDataException">The file is not an ONNX graph, or keeps its weights in other
    /// files.</exception>
    public static GraphEditor Open(ReadOnlySpan<byte> onnx)
    {
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(onnx);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException("The file is not an ONNX model.", e);
        }
        if (model.Graph is null || model.Graph.Node.Count == 0)
            throw new InvalidDataException("The file is not an ONNX model: it contains no graph.");
        if (GetTensors(model.Graph).Any(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External))
            throw new InvalidDataException("The model keeps its weights in other files; save it as one file.");
        return new GraphEditor(model);
    }

    /// <summary>
    /// Creates the graph with <paramref name="taps"/> as its only outputs, without the nodes and weights that they do
    /// not need.
    /// </summary>
    /// <param name="taps">Names of tensors that some node computes, or that are outputs already.</param>
    /// <exception cref="InvalidDataException">No node computes one of the tensors.</exception>
    public GraphEditor WithOutputs(IReadOnlyList<string> taps)
    {
        var graph = _model.Graph;
        var producer = new Dictionary<string, NodeProto>(StringComparer.Ordinal);
        foreach (var node in graph.Node)
        foreach (var output in node.Output.Where(name => name.Length > 0))
            producer[output] = node;
        var missing = taps.FirstOrDefault(tap => !producer.ContainsKey(tap));
        if (missing is not null)
            throw new InvalidDataException($"No layer of the graph computes a tensor named '{missing}'.");

        var (needed, read) = FindNeeded(producer, taps);
        var edited = _model.Clone();
        Replace(edited.Graph.Node, graph.Node.Where(needed.Contains));
        Replace(edited.Graph.Initializer, graph.Initializer.Where(tensor => read.Contains(tensor.Name)));
        Replace(
            edited.Graph.Input,
            graph.Input.Where(input => read.Contains(input.Name)).Select(input => input.Clone())
        );
        // Shapes in the file may fix the batch to one image; ONNX Runtime infers them again.
        edited.Graph.ValueInfo.Clear();
        Replace(edited.Graph.Output, taps.Select(tap => CreateFloat32Tensor(tap)));
        foreach (var input in edited.Graph.Input.Where(input => Inputs.Contains(input.Name)))
            FreeBatch(input);
        return new GraphEditor(edited);
    }

    /// <summary>
    /// Finds the tensors whose values, not only their shapes, depend on the graph's inputs.
    /// </summary>
    internal IReadOnlySet<string> FindComputedFromInputs()
    {
        var computed = Inputs.ToHashSet(StringComparer.Ordinal);
        // Nodes come after those that they read.
        foreach (var node in Graph.Node.Where(node => node.OpType is not ("Shape" or "Size")))
            if (GetReadNames(node).Any(computed.Contains))
                computed.UnionWith(node.Output);
        return computed;
    }

    /// <summary>Gives a tensor another name, in place.</summary>
    internal static void Rename(GraphProto graph, string name, string newName)
    {
        foreach (var node in graph.Node)
        {
            Replace(node.Input);
            Replace(node.Output);
            foreach (var subgraph in GetSubgraphs(node))
                Rename(subgraph, name, newName);
        }

        void Replace(Google.Protobuf.Collections.RepeatedField<string> names)
        {
            for (var i = 0; i < names.Count; i++)
                if (names[i] == name)
                    names[i] = newName;
        }
    }

    /// <summary>Puts nodes behind those that they read, in place, and otherwise leaves their order.</summary>
    internal static void Sort(GraphProto graph)
    {
        var producers = graph
            .Node.SelectMany(node => node.Output.Where(name => name.Length > 0).Select(name => (name, node)))
            .ToDictionary(pair => pair.name, pair => pair.node, StringComparer.Ordinal);
        var sorted = new List<NodeProto>(graph.Node.Count);
        var seen = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (var root in graph.Node)
        {
            var pending = new Stack<(NodeProto Node, bool IsReady)>([(root, false)]);
            while (pending.TryPop(out var next))
            {
                if (next.IsReady)
                    sorted.Add(next.Node);
                else if (seen.Add(next.Node))
                {
                    pending.Push((next.Node, true));
                    foreach (var name in GetReadNames(next.Node).Reverse())
                        if (producers.TryGetValue(name, out var earlier))
                            pending.Push((earlier, false));
                }
            }
        }
        Replace(graph.Node, sorted);
    }

    /// <summary>Creates a changed graph.</summary>
    /// <param name="edit">Changes a copy in place.</param>
    internal GraphEditor Edit(Action<GraphProto> edit)
    {
        var edited = _model.Clone();
        edit(edited.Graph);
        return new GraphEditor(edited);
    }

    /// <summary>
    /// Gets the names that a node reads, including those that its subgraphs (If, Loop) read from the outer graph.
    /// </summary>
    internal static IEnumerable<string> GetReadNames(NodeProto node) =>
        node.Input.Concat(GetSubgraphs(node).SelectMany(graph => graph.Node).SelectMany(GetReadNames));

    /// <summary>Converts the graph to an ONNX file.</summary>
    public byte[] ToArray() => _model.ToByteArray();

    /// <summary>Creates a copy of the model that the caller may change.</summary>
    internal ModelProto ToModel() => _model.Clone();

    /// <summary>Finds the nodes that the taps depend on, and every name that those nodes read or write.</summary>
    private static (HashSet<NodeProto> Nodes, HashSet<string> Names) FindNeeded(
        Dictionary<string, NodeProto> producer,
        IReadOnlyList<string> taps
    )
    {
        var nodes = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var pending = new Stack<string>(taps);
        while (pending.TryPop(out var name))
        {
            if (!names.Add(name) || !producer.TryGetValue(name, out var node) || !nodes.Add(node))
                continue;
            foreach (var input in GetReadNames(node))
                pending.Push(input);
        }
        return (nodes, names);
    }

    internal static IEnumerable<GraphProto> GetSubgraphs(NodeProto node) =>
        node.Attribute.SelectMany(attribute =>
            attribute.G is null ? attribute.Graphs : attribute.Graphs.Append(attribute.G)
        );

    /// <summary>Gets all weights and constants, including those in subgraphs.</summary>
    internal static IEnumerable<TensorProto> GetTensors(GraphProto graph) =>
        graph
            .Initializer.Concat(
                graph
                    .Node.SelectMany(node => node.Attribute)
                    .SelectMany(attribute =>
                        attribute.T is null ? attribute.Tensors : attribute.Tensors.Append(attribute.T)
                    )
            )
            .Concat(graph.Node.SelectMany(GetSubgraphs).SelectMany(GetTensors));

    /// <summary>
    /// Creates the declaration of a float32 input or output. A null extent may have any value; without extents the
    /// shape is open.
    /// </summary>
    internal static ValueInfoProto CreateFloat32Tensor(string name, params int?[] extents)
    {
        var type = new TypeProto.Types.Tensor { ElemType = Float32 };
        if (extents.Length > 0)
            type.Shape = new TensorShapeProto
            {
                Dim =
                {
                    extents.Select(extent =>
                        extent is { } fixedExtent
                            ? new TensorShapeProto.Types.Dimension { DimValue = fixedExtent }
                            : new TensorShapeProto.Types.Dimension()
                    ),
                },
            };
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = type },
        };
    }

    private static void FreeBatch(ValueInfoProto input)
    {
        if (input.Type?.TensorType?.Shape?.Dim.FirstOrDefault() is { HasDimValue: true } batch)
        {
            batch.ClearDimValue();
            batch.DimParam = "batch";
        }
    }

    private static void Replace<T>(Google.Protobuf.Collections.RepeatedField<T> field, IEnumerable<T> items)
    {
        var kept = items.ToList();
        field.Clear();
        field.AddRange(kept);
    }
}
