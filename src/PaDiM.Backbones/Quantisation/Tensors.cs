using System.Runtime.InteropServices;
using Google.Protobuf;
using PaDiM.Engine.Graphs.Schema;
using DataType = PaDiM.Engine.Graphs.Schema.TensorProto.Types.DataType;

namespace PaDiM.Backbones.Quantisation;

/// <summary>Creates the constant tensors of a quantised graph.</summary>
internal static class Tensors
{
    public static TensorProto Create(string name, int[] shape, ReadOnlySpan<float> values) =>
        CreateRaw(name, DataType.Float, shape, MemoryMarshal.AsBytes(values));

    public static TensorProto Create(string name, int[] shape, ReadOnlySpan<sbyte> values) =>
        CreateRaw(name, DataType.Int8, shape, MemoryMarshal.AsBytes(values));

    public static TensorProto Create(string name, int[] shape, ReadOnlySpan<byte> values) =>
        CreateRaw(name, DataType.Uint8, shape, values);

    public static TensorProto Create(string name, int[] shape, ReadOnlySpan<int> values) =>
        CreateRaw(name, DataType.Int32, shape, MemoryMarshal.AsBytes(values));

    private static TensorProto CreateRaw(string name, DataType type, int[] shape, ReadOnlySpan<byte> little) =>
        new()
        {
            Name = name,
            DataType = (int)type,
            Dims = { shape.Select(extent => (long)extent) },
            RawData = ByteString.CopyFrom(little),
        };
}
