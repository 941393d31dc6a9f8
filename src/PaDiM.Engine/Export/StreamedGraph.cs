using System.Runtime.InteropServices;
using Google.Protobuf;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Export;

/// <summary>
/// Represents an ONNX file that is written without ever being in memory as a whole: the model with its small graph as
/// protobuf messages, and after the graph's other fields the large weights, whose values are computed while they are
/// written. The length is known in advance.
/// </summary>
internal sealed class StreamedGraph
{
    private const int PieceBytes = 1 << 20;

    /// <summary>Field number of <c>ModelProto.graph</c>.</summary>
    private const int GraphField = 7;

    /// <summary>Field number of <c>GraphProto.initializer</c>.</summary>
    private const int InitializerField = 5;

    /// <summary>Field number of <c>TensorProto.raw_data</c>.</summary>
    private const int RawDataField = 9;

    private readonly byte[] _beginning;
    private readonly IReadOnlyList<(byte[] Head, ScoringTensor Tensor)> _weights;

    /// <summary>Creates a file.</summary>
    /// <param name="model">The model without its graph.</param>
    /// <param name="graph">The graph without the large weights.</param>
    /// <param name="tensors">The large weights.</param>
    public StreamedGraph(ModelProto model, GraphProto graph, IEnumerable<ScoringTensor> tensors)
    {
        _weights = [.. tensors.Select(tensor => (CreateHead(tensor), tensor))];
        var behind = _weights.Sum(weight => weight.Head.Length + CountBytes(weight.Tensor));
        var small = graph.CalculateSize();
        var buffer = new MemoryStream();
        model.WriteTo(buffer);
        WriteFieldHeader(buffer, GraphField, small + behind);
        graph.WriteTo(buffer);
        _beginning = buffer.ToArray();
        Length = _beginning.Length + behind;
    }

    /// <summary>Gets the length of the file in bytes.</summary>
    public long Length { get; }

    /// <summary>
    /// Creates the file piece by piece; a piece is valid until the next one is requested.
    /// </summary>
    public IEnumerable<ReadOnlyMemory<byte>> GetPieces()
    {
        yield return _beginning;
        foreach (var (head, tensor) in _weights)
        {
            yield return head;
            var together = Math.Clamp(PieceBytes / (sizeof(float) * Math.Max(1, tensor.PartLength)), 1, tensor.Parts);
            var values = new float[together * tensor.PartLength];
            var bytes = new byte[sizeof(float) * together * tensor.PartLength];
            for (var first = 0; first < tensor.Parts; first += together)
            {
                var count = Math.Min(together, tensor.Parts - first);
                for (var i = 0; i < count; i++)
                    tensor.Fill(first + i, values.AsSpan(i * tensor.PartLength, tensor.PartLength));
                var used = values.AsSpan(0, count * tensor.PartLength);
                MemoryMarshal.AsBytes(used).CopyTo(bytes);
                yield return bytes.AsMemory(0, sizeof(float) * used.Length);
            }
        }
    }

    /// <summary>Creates the bytes of a weight, as a field of the graph, up to its first value.</summary>
    private static byte[] CreateHead(ScoringTensor tensor)
    {
        var head = GraphBuilder.CreateTensorHead(tensor.Name, tensor.Shape).ToByteArray();
        var data = new MemoryStream();
        WriteFieldHeader(data, RawDataField, CountBytes(tensor));
        var buffer = new MemoryStream();
        WriteFieldHeader(buffer, InitializerField, head.Length + data.Length + CountBytes(tensor));
        buffer.Write(head);
        data.WriteTo(buffer);
        return buffer.ToArray();
    }

    private static long CountBytes(ScoringTensor tensor) => sizeof(float) * tensor.Length;

    private static void WriteFieldHeader(Stream stream, int field, long length)
    {
        using var output = new CodedOutputStream(stream, leaveOpen: true);
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteUInt64((ulong)length);
    }
}
