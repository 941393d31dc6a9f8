using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace PaDiM.Service.OpenInference;

/// <summary>A tensor with its values, which are numbers, texts or maps.</summary>
/// <param name="Output">Which one it is.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Numbers">The values, of a tensor of FP64.</param>
/// <param name="Texts">The values, of a tensor of BYTES.</param>
/// <param name="Maps">The values, of a tensor of FP32 with three extents.</param>
internal sealed record OutputTensor(
    InferOutput Output,
    IReadOnlyList<long> Shape,
    IReadOnlyList<double>? Numbers = null,
    IReadOnlyList<string>? Texts = null,
    IReadOnlyList<float[]>? Maps = null
)
{
    /// <summary>Gets the number of bytes in binary form.</summary>
    public long BinarySize =>
        Numbers?.Count * (long)sizeof(double)
        ?? Texts?.Sum(text => (long)sizeof(uint) + Encoding.UTF8.GetByteCount(text))
        ?? Maps!.Sum(map => (long)map.Length * sizeof(float));

    /// <summary>Gets the values in binary form: little-endian, texts behind their length, in pieces.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> ToBinary()
    {
        if (Maps is not null)
            return Maps.Select(ToBytes);
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var number in Numbers ?? [])
        {
            BinaryPrimitives.WriteDoubleLittleEndian(buffer.GetSpan(sizeof(double)), number);
            buffer.Advance(sizeof(double));
        }
        foreach (var text in Texts ?? [])
        {
            BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(sizeof(int)), Encoding.UTF8.GetByteCount(text));
            buffer.Advance(sizeof(int));
            Encoding.UTF8.GetBytes(text, buffer);
        }
        return [buffer.WrittenMemory];
    }

    /// <summary>Gets the values in binary form as one array.</summary>
    public byte[] ToBinaryArray()
    {
        var all = GC.AllocateUninitializedArray<byte>(checked((int)BinarySize));
        var at = 0;
        foreach (var piece in ToBinary())
        {
            piece.CopyTo(all.AsMemory(at));
            at += piece.Length;
        }
        return all;
    }

    /// <summary>Writes the values as a flat JSON array, whose pieces may be sent between two maps.</summary>
    public async Task WriteJsonAsync(Utf8JsonWriter json, Func<Task> send)
    {
        json.WriteStartArray();
        foreach (var number in Numbers ?? [])
            json.WriteNumberValue(number);
        foreach (var text in Texts ?? [])
            json.WriteStringValue(text);
        foreach (var map in Maps ?? [])
        {
            foreach (var value in map)
                json.WriteNumberValue(value);
            await send();
        }
        json.WriteEndArray();
    }

    private static ReadOnlyMemory<byte> ToBytes(float[] map)
    {
        if (BitConverter.IsLittleEndian)
            return MemoryMarshal.AsBytes<float>(map).ToArray();
        var bytes = new byte[map.Length * sizeof(float)];
        for (var i = 0; i < map.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), map[i]);
        return bytes;
    }
}
