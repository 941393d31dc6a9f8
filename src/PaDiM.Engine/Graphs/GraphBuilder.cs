using System.Runtime.InteropServices;
using Google.Protobuf;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Adds nodes to an ONNX graph one after the other, each under the name of its output. Uses nothing that differs
/// between sets of operators from version 7 on, but for what it bridges itself.
/// </summary>
/// <param name="graph">The graph to add to.</param>
/// <param name="opset">Version of ONNX's own set of operators that the graph's model imports, at least <see
/// cref="MinOpset"/>.</param>
internal sealed class GraphBuilder(GraphProto graph, long opset)
{
    /// <summary>Before it, arithmetic did not broadcast.</summary>
    public const int MinOpset = 7;

    /// <summary>Of a dimension that is free: the batch.</summary>
    public const long AnyBatch = -1;

    private const int Float32 = 1,
        Integer64 = 7;

    /// <summary>The graph that is added to.</summary>
    public GraphProto Graph { get; } = graph;

    /// <summary>Adds a node and gives the name of its output.</summary>
    public string AddNode(
        string type,
        string output,
        IEnumerable<string> inputs,
        params IEnumerable<AttributeProto> attributes
    )
    {
        Graph.Node.Add(
            new NodeProto
            {
                OpType = type,
                Name = output,
                Output = { output },
                Input = { inputs },
                Attribute = { attributes },
            }
        );
        return output;
    }

    /// <summary>
    /// Reduces over axes that vanish. The axes have been an input in place of an attribute since version 18.
    /// </summary>
    public string AddReduction(string type, string output, string input, params long[] axes) =>
        opset < 18
            ? AddNode(type, output, [input], CreateAttribute("keepdims", 0), CreateListAttribute("axes", axes))
            : AddNode(type, output, [input, AddConstant($"{output}/axes", [axes.Length], axes)], CreateAttribute("keepdims", 0));

    /// <summary>A float32 tensor that is part of the graph.</summary>
    public string AddConstant(string name, long[] shape, ReadOnlySpan<float> values) =>
        Add(name, shape, Float32, MemoryMarshal.AsBytes(values));

    /// <summary>An int64 tensor that is part of the graph.</summary>
    public string AddConstant(string name, long[] shape, ReadOnlySpan<long> values) =>
        Add(name, shape, Integer64, MemoryMarshal.AsBytes(values));

    /// <summary>Declares a float32 input.</summary>
    public string AddInput(string name, params long[] shape)
    {
        Graph.Input.Add(CreateValueInfo(name, shape));
        return name;
    }

    /// <summary>Declares a float32 output.</summary>
    public void AddOutput(string name, params long[] shape) => Graph.Output.Add(CreateValueInfo(name, shape));

    public static AttributeProto CreateAttribute(string name, long value) =>
        new()
        {
            Name = name,
            I = value,
            Type = AttributeProto.Types.AttributeType.Int,
        };

    public static AttributeProto CreateListAttribute(string name, params long[] values) =>
        new()
        {
            Name = name,
            Ints = { values },
            Type = AttributeProto.Types.AttributeType.Ints,
        };

    /// <summary>The head of a float32 tensor whose values are written behind it.</summary>
    public static TensorProto CreateTensorHead(string name, IEnumerable<long> shape) =>
        new()
        {
            Name = name,
            DataType = Float32,
            Dims = { shape },
        };

    private string Add(string name, long[] shape, int type, ReadOnlySpan<byte> values)
    {
        Graph.Initializer.Add(
            new TensorProto
            {
                Name = name,
                DataType = type,
                Dims = { shape },
                RawData = ByteString.CopyFrom(values),
            }
        );
        return name;
    }

    private static ValueInfoProto CreateValueInfo(string name, long[] shape)
    {
        var dimensions = shape.Select(extent =>
            extent == AnyBatch
                ? new TensorShapeProto.Types.Dimension { DimParam = "batch" }
                : new TensorShapeProto.Types.Dimension { DimValue = extent }
        );
        return new()
        {
            Name = name,
            Type = new TypeProto
            {
                TensorType = new TypeProto.Types.Tensor
                {
                    ElemType = Float32,
                    Shape = new TensorShapeProto { Dim = { dimensions } },
                },
            },
        };
    }
}
