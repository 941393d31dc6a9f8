using Google.Protobuf;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Edits an ONNX graph as a value: the model it was made from is never changed. Only what feature extraction needs:
/// which tensors come out, any batch, and the layers that nothing reads any more dropped.
/// </summary>
public sealed class GraphEditor
{
    private const int Float32 = 1;
    private readonly ModelProto _model;

    private GraphEditor(ModelProto model) => _model = model;

    /// <summary>Names of the graph's outputs, in order.</summary>
    public IReadOnlyList<string> Outputs => [.. _model.Graph.Output.Select(output => output.Name)];

    internal GraphProto Graph => _model.Graph;

    /// <summary>Version of ONNX's own operators that the graph is written in; 1 where it states none.</summary>
    internal long OperatorSet => _model.OpsetImport.FirstOrDefault(set => set.Domain is "" or "ai.onnx")?.Version ?? 1;

    /// <summary>Names of the inputs that a caller must feed.</summary>
    public IReadOnlyList<string> Inputs
    {
        get
        {
            var weights = _model.Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
            return [.. _model.Graph.Input.Select(input => input.Name).Where(name => !weights.Contains(name))];
        }
    }

    /// <summary>Parses an ONNX file.</summary>
    /// <exception cref="InvalidDataException">Not an ONNX graph, or one whose weights lie in other files.</exception>
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
            throw new InvalidDataException("The file is not an ONNX model: it holds no graph.");
        if (GetTensors(model.Graph).Any(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External))
            throw new InvalidDataException("The model keeps its weights in other files; save it as one file.");
        return new GraphEditor(model);
    }

    /// <summary>
    /// The same graph with <paramref name="taps"/> as its only outputs and without the nodes and weights that they do
    /// not need.
    /// </summary>
    /// <param name="taps">Names of tensors that some node computes, or that are outputs already.</param>
    /// <exception cref="InvalidDataException">No node computes one of them.</exception>
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
        // Shapes written down at export may hold a batch of one; the runtime infers them anew.
        edited.Graph.ValueInfo.Clear();
        Replace(edited.Graph.Output, taps.Select(tap => CreateFloat32Tensor(tap)));
        foreach (var input in edited.Graph.Input.Where(input => Inputs.Contains(input.Name)))
            FreeBatch(input);
        return new GraphEditor(edited);
    }

    /// <summary>The same graph after a change to its nodes and weights.</summary>
    /// <param name="edit">Is given a copy to change in place.</param>
    internal GraphEditor Edit(Action<GraphProto> edit)
    {
        var edited = _model.Clone();
        edit(edited.Graph);
        return new GraphEditor(edited);
    }

    /// <summary>
    /// Names that a node reads, those that its subgraphs (If, Loop) read, of the outer graph too, included.
    /// </summary>
    internal static IEnumerable<string> GetReadNames(NodeProto node) =>
        node.Input.Concat(GetSubgraphs(node).SelectMany(graph => graph.Node).SelectMany(GetReadNames));

    /// <summary>The graph as an ONNX file.</summary>
    public byte[] ToArray() => _model.ToByteArray();

    /// <summary>A copy of the model, the caller's to change.</summary>
    internal ModelProto ToModel() => _model.Clone();

    /// <summary>The nodes that the taps depend on, and every name that those nodes read or write.</summary>
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

    /// <summary>Weights, and constants wherever they stand.</summary>
    private static IEnumerable<TensorProto> GetTensors(GraphProto graph) =>
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
    /// An input or output of floats; a null among the extents is one that may be any, no extents at all leave the shape
    /// open.
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
