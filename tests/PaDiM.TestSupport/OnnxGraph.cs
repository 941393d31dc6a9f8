using System.Text;
using Google.Protobuf;

namespace PaDiM.TestSupport;

/// <summary>
/// Writes small ONNX files field by field, with ONNX's own field numbers: a real file for the real runtime, made
/// without the schema that is tested. Nodes are added in the order in which they run.
/// </summary>
internal sealed class OnnxGraph
{
    public const int Float = 1,
        Integer64 = 7,
        Float16 = 10,
        Int64 = 7;
    private readonly List<byte[]> _nodes = [],
        _weights = [],
        _inputs = [],
        _outputs = [];

    /// <summary>Dimensions below 0 are free.</summary>
    public OnnxGraph Input(string name, params long[] shape)
    {
        _inputs.Add(ValueInfo(name, Float, shape));
        return this;
    }

    public OnnxGraph Output(string name, int type = Float)
    {
        _outputs.Add(ValueInfo(name, type, [-1, -1, -1, -1]));
        return this;
    }

    public OnnxGraph Weight(string name, long[] shape, float[] values)
    {
        _weights.Add(Tensor(name, shape, values));
        return this;
    }

    /// <summary>A weight whose values lie in another file.</summary>
    public OnnxGraph ExternalWeight(string name)
    {
        _weights.Add(ExternalTensor(name));
        return this;
    }

    /// <summary>A weight in the form that it is to have in the file.</summary>
    public OnnxGraph Weight(byte[] tensor)
    {
        _weights.Add(tensor);
        return this;
    }

    public OnnxGraph Node(string type, string[] from, string[] to, params byte[][] attributes)
    {
        _nodes.Add(
            Message([
                .. from.Select(name => Text(1, name)),
                .. to.Select(name => Text(2, name)),
                Text(4, type),
                .. attributes.Select(attribute => Field(5, attribute)),
            ])
        );
        return this;
    }

    /// <summary>A convolution with fixed pseudo-random weights.</summary>
    public OnnxGraph Conv(string from, string to, int inChannels, int outChannels, int kernel, int stride)
    {
        var random = new Random(inChannels * 31 + outChannels);
        Weight(
            $"{to}.weight",
            [outChannels, inChannels, kernel, kernel],
            [.. Enumerable.Range(0, outChannels * inChannels * kernel * kernel).Select(_ => random.NextSingle() - 0.5f)]
        );
        return Node(
            "Conv",
            [from, $"{to}.weight"],
            [to],
            Ints("strides", stride, stride),
            Ints("pads", kernel / 2, kernel / 2, kernel / 2, kernel / 2)
        );
    }

    public OnnxGraph Relu(string from, string to) => Node("Relu", [from], [to]);

    /// <summary>Three maps at strides 4, 8 and 16 with a classifier behind them that features do not need.</summary>
    public static OnnxGraph Classifier(params long[] inputShape) =>
        new OnnxGraph()
            .Input("pixels", inputShape)
            .Conv("pixels", "c1", 3, 6, 3, 2)
            .Relu("c1", "r1")
            .Conv("r1", "c2", 6, 8, 3, 2)
            .Relu("c2", "r2")
            .Conv("r2", "c3", 8, 10, 3, 2)
            .Relu("c3", "r3")
            .Conv("r3", "c4", 10, 12, 3, 2)
            .Relu("c4", "r4")
            .Node("GlobalAveragePool", ["r4"], ["pooled"])
            .Conv("pooled", "logits", 12, 5, 1, 1)
            .Output("logits");

    /// <summary>The file, with a note in the model's metadata that only a complete reader knows of.</summary>
    public byte[] ToArray() =>
        Message(
            Number(1, 8),
            Text(2, "tests"),
            Field(7, Graph()),
            Field(8, Message(Number(2, 17))),
            Field(14, Message(Text(1, "note"), Text(2, "kept as it is")))
        );

    public byte[] Graph() =>
        Message([
            .. _nodes.Select(node => Field(1, node)),
            Text(2, "graph"),
            .. _weights.Select(tensor => Field(5, tensor)),
            .. _inputs.Select(input => Field(11, input)),
            .. _outputs.Select(output => Field(12, output)),
        ]);

    public static byte[] Ints(string name, params long[] values) =>
        Message([Text(1, name), .. values.Select(value => Number(8, value)), Number(20, 7)]);

    public static byte[] Int(string name, long value) => Message(Text(1, name), Number(3, value), Number(20, 2));

    public static byte[] TensorAttribute(string name, byte[] tensor) =>
        Message(Text(1, name), Field(5, tensor), Number(20, 4));

    public static byte[] GraphAttribute(string name, OnnxGraph graph) =>
        Message(Text(1, name), Field(6, graph.Graph()), Number(20, 5));

    public static byte[] Tensor(string name, long[] shape, float[] values) =>
        Message([
            .. shape.Select(extent => Number(1, extent)),
            Number(2, Float),
            Text(8, name),
            Field(9, [.. values.SelectMany(BitConverter.GetBytes)]),
        ]);

    public static byte[] IntegerTensor(string name, long[] values) =>
        Message(
            Number(1, values.Length),
            Number(2, Integer64),
            Text(8, name),
            Field(9, [.. values.SelectMany(BitConverter.GetBytes)])
        );

    /// <summary>A float32 tensor whose values lie in a part of another file.</summary>
    public static byte[] ExternalTensor(string name, long[] shape, string location, long? offset, long? length) =>
        Message([
            .. shape.Select(extent => Number(1, extent)),
            Number(2, Float),
            Text(8, name),
            Field(13, Message(Text(1, "location"), Text(2, location))),
            .. offset is null ? [] : new[] { Field(13, Message(Text(1, "offset"), Text(2, $"{offset}"))) },
            .. length is null ? [] : new[] { Field(13, Message(Text(1, "length"), Text(2, $"{length}"))) },
            Number(14, 1),
        ]);

    public static byte[] ExternalTensor(string name) =>
        Message(
            Number(1, 4),
            Number(2, Float),
            Text(8, name),
            Field(13, Message(Text(1, "location"), Text(2, "weights.bin"))),
            Number(14, 1)
        );

    private static byte[] ValueInfo(string name, int type, long[] shape)
    {
        var dimensions = shape.Select(
            (extent, i) => Field(1, extent < 0 ? Message(Text(2, $"{name}{i}")) : Message(Number(1, extent)))
        );
        return Message(
            Text(1, name),
            Field(2, Message(Field(1, Message(Number(1, type), Field(2, Message([.. dimensions]))))))
        );
    }

    private static byte[] Message(params byte[][] fields) => [.. fields.SelectMany(field => field)];

    private static byte[] Text(int field, string value) => Field(field, Encoding.UTF8.GetBytes(value));

    private static byte[] Field(int field, byte[] value) =>
        Encode(output =>
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(value));
        });

    private static byte[] Number(int field, long value) =>
        Encode(output =>
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        });

    private static byte[] Encode(Action<CodedOutputStream> write)
    {
        var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
            write(output);
        return buffer.ToArray();
    }
}
