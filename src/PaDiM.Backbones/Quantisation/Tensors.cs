using System.Runtime.InteropServices;
using Google.Protobuf;
using PaDiM.Engine.Graphs.Schema;
using DataType = PaDiM.Engine.Graphs.Schema.TensorProto.Types.DataType;

namespace PaDiM.Backbones.Quantisation;

/// <summary>Makes the weights that a quantised graph holds.</summary>
internal static class Tensors
{
    public static TensorProto Of(string name, int[] shape, ReadOnlySpan<float> values) =>
        Make(name, DataType.Float, shape, MemoryMarshal.AsBytes(values));

    public static TensorProto Of(string name, int[] shape, ReadOnlySpan<sbyte> values) =>
        Make(name, DataType.Int8, shape, MemoryMarshal.AsBytes(values));

    public static TensorProto Of(string name, int[] shape, ReadOnlySpan<byte> values) =>
        Make(name, DataType.Uint8, shape, values);

    public static TensorProto Of(string name, int[] shape, ReadOnlySpan<int> values) =>
        Make(name, DataType.Int32, shape, MemoryMarshal.AsBytes(values));

    private static TensorProto Make(string name, DataType type, int[] shape, ReadOnlySpan<byte> little) =>
        new()
        {
            Name = name,
            DataType = (int)type,
            Dims = { shape.Select(extent => (long)extent) },
            RawData = ByteString.CopyFrom(little),
        };
}
