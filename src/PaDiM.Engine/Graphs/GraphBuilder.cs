using System.Runtime.InteropServices;
using Google.Protobuf;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Adds nodes to an ONNX graph one after the other; each node has the name of its output. The nodes are valid in every
/// version of ONNX's operators from 7 on; the builder bridges the differences.
/// </summary>
/// <param name="graph">The graph to add to.</param>
/// <param name="opset">Version of ONNX's own operators that the graph's model imports, at least <see
/// cref="MinOpset"/>.</param>
internal sealed class GraphBuilder(GraphProto graph, long opset)
{
    /// <summary>Oldest supported version of ONNX's operators: before it, arithmetic did not broadcast.</summary>
    public const int MinOpset = 7;

    /// <summary>The extent of a batch dimension that may have any size.</summary>
    public const long AnyBatch = -1;

    internal const int Float32 = 1,
        Integer64 = 7;

    /// <summary>Gets the graph.</summary>
    public GraphProto Graph { get; } = graph;

    /// <summary>Adds a node.</summary>
    /// <returns>The name of its output.</returns>
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
    /// Adds a reduction that removes the reduced axes. Since version 18 the axes are an input, before that an
    /// attribute.
    /// </summary>
    /// <returns>The name of its output.</returns>
    public string AddReduction(string type, string output, string input, params long[] axes) =>
        opset < 18
            ? AddNode(type, output, [input], CreateAttribute("keepdims", 0), CreateListAttribute("axes", axes))
            : AddNode(
                type,
                output,
                [input, AddConstant($"{output}/axes", [axes.Length], axes)],
                CreateAttribute("keepdims", 0)
            );

    /// <summary>
    /// Adds a slice of one axis, from a position up to another one. Since version 10 the bounds are inputs, before that
    /// attributes.
    /// </summary>
    /// <returns>The name of its output.</returns>
    public string AddSlice(string output, string input, long axis, long start, long end = long.MaxValue) =>
        opset < 10
            ? AddNode(
                "Slice",
                output,
                [input],
                CreateListAttribute("axes", axis),
                CreateListAttribute("starts", start),
                CreateListAttribute("ends", end)
            )
            : AddNode(
                "Slice",
                output,
                [
                    input,
                    AddConstant($"{output}/starts", [1], [start]),
                    AddConstant($"{output}/ends", [1], [end]),
                    AddConstant($"{output}/axes", [1], [axis]),
                ]
            );

    /// <summary>
    /// Adds a border that repeats the outermost values. Since version 11 its widths are an input, before that an
    /// attribute.
    /// </summary>
    /// <param name="output">Name of the result.</param>
    /// <param name="input">Name of the tensor.</param>
    /// <param name="widths">Width of the border at both ends of each axis.</param>
    /// <returns>The name of its output.</returns>
    public string AddEdgePadding(string output, string input, params long[] widths)
    {
        long[] pads = [.. widths, .. widths];
        var mode = CreateAttribute("mode", "edge");
        return opset < 11
            ? AddNode("Pad", output, [input], mode, CreateListAttribute("pads", pads))
            : AddNode("Pad", output, [input, AddConstant($"{output}/widths", [pads.Length], pads)], mode);
    }

    /// <summary>
    /// Adds the selection of the largest values along the last axis. Since version 10 their number is an input, before
    /// that an attribute.
    /// </summary>
    /// <returns>The name of the output with the values.</returns>
    public string AddLargest(string output, string input, long count)
    {
        if (opset < 10)
            AddNode("TopK", output, [input], CreateAttribute("k", count), CreateAttribute("axis", -1));
        else
            AddNode("TopK", output, [input, AddConstant($"{output}/count", [1], [count])], CreateAttribute("axis", -1));
        Graph.Node[^1].Output.Add($"{output}/indices");
        return output;
    }

    /// <summary>Adds a float32 tensor with fixed values.</summary>
    /// <returns>The name of the tensor.</returns>
    public string AddConstant(string name, long[] shape, ReadOnlySpan<float> values) =>
        Add(name, shape, Float32, MemoryMarshal.AsBytes(values));

    /// <summary>Adds an int64 tensor with fixed values.</summary>
    /// <returns>The name of the tensor.</returns>
    public string AddConstant(string name, long[] shape, ReadOnlySpan<long> values) =>
        Add(name, shape, Integer64, MemoryMarshal.AsBytes(values));

    /// <summary>Declares a float32 input.</summary>
    /// <returns>The name of the input.</returns>
    public string AddInput(string name, params long[] shape)
    {
        Graph.Input.Add(CreateValueInfo(name, shape));
        return name;
    }

    /// <summary>Declares a float32 output.</summary>
    public void AddOutput(string name, params long[] shape) => Graph.Output.Add(CreateValueInfo(name, shape));

    /// <summary>Creates an attribute with an integer value.</summary>
    public static AttributeProto CreateAttribute(string name, long value) =>
        new()
        {
            Name = name,
            I = value,
            Type = AttributeProto.Types.AttributeType.Int,
        };

    /// <summary>Creates an attribute with a text.</summary>
    public static AttributeProto CreateAttribute(string name, string value) =>
        new()
        {
            Name = name,
            S = ByteString.CopyFromUtf8(value),
            Type = AttributeProto.Types.AttributeType.String,
        };

    /// <summary>Creates an attribute with a list of integers.</summary>
    public static AttributeProto CreateListAttribute(string name, params long[] values) =>
        new()
        {
            Name = name,
            Ints = { values },
            Type = AttributeProto.Types.AttributeType.Ints,
        };

    /// <summary>Creates the head of a float32 tensor whose values are written after it.</summary>
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
