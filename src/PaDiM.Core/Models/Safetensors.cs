using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace PaDiM.Core.Models;

/// <summary>A named array with a shape, as it lies in a safetensors file.</summary>
/// <param name="Name">Key in the file.</param>
/// <param name="Shape">Extents, outermost first.</param>
/// <param name="Values">A <c>float[]</c>, <c>double[]</c>, <c>int[]</c> or <c>byte[]</c> of as many elements as the shape has.</param>
public sealed record SafetensorsTensor(string Name, long[] Shape, Array Values);

/// <summary>
/// Writes the safetensors format (8-byte little-endian header length, JSON header, raw little-endian data), with an XXH128 hash of the
/// metadata, the shapes and the data among the metadata, so that a damaged file is seen. The same content gives the same bytes.
/// </summary>
public static class Safetensors
{
    internal const string HashKey = "xxh128";
    internal const int Alignment = 64;

    /// <summary>Writes tensors in the order given.</summary>
    public static void Write(Stream stream, IReadOnlyDictionary<string, string> metadata, params IReadOnlyList<SafetensorsTensor> tensors)
    {
        var hash = new XxHash128();
        Describe(hash, metadata, tensors.Select(tensor => (tensor.Name, TypeOf(tensor.Values).Name, tensor.Shape)));
        foreach (var tensor in tensors) ForEachBlock(tensor.Values, hash.Append);
        var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
            json.WriteString(HashKey, Convert.ToHexStringLower(hash.GetCurrentHash()));
            json.WriteEndObject();
            var offset = 0L;
            foreach (var tensor in tensors)
            {
                var (type, size) = TypeOf(tensor.Values);
                if (tensor.Shape.Aggregate(1L, (product, extent) => product * extent) != tensor.Values.LongLength)
                    throw new ArgumentException($"Tensor {tensor.Name} has {tensor.Values.LongLength} values for shape ({string.Join(", ", tensor.Shape)}).", nameof(tensors));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", type);
                json.WriteStartArray("shape");
                foreach (var extent in tensor.Shape) json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Values.LongLength * size);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while ((8 + header.Length) % Alignment != 0) header.WriteByte((byte)' ');
        stream.Write(BitConverter.GetBytes(header.Length));
        header.WriteTo(stream);
        foreach (var tensor in tensors) ForEachBlock(tensor.Values, stream.Write);
    }

    /// <summary>Feeds what a header says to a hash: pairs in ordinal order but for the hash itself, then tensors in the order of their data.</summary>
    internal static void Describe(XxHash128 hash, IEnumerable<KeyValuePair<string, string>> metadata, IEnumerable<(string Name, string Type, long[] Shape)> tensors)
    {
        foreach (var (key, value) in metadata.Where(pair => pair.Key != HashKey).OrderBy(pair => pair.Key, StringComparer.Ordinal)) hash.Append(Encoding.UTF8.GetBytes($"{key}\0{value}\0"));
        foreach (var (name, type, shape) in tensors) hash.Append(Encoding.UTF8.GetBytes($"{name}\0{type}\0{string.Join(',', shape)}\0"));
    }

    internal static (string Name, int Size) TypeOf(Array values) => values switch
    {
        float[] => ("F32", sizeof(float)),
        double[] => ("F64", sizeof(double)),
        int[] => ("I32", sizeof(int)),
        byte[] => ("U8", sizeof(byte)),
        _ => throw new ArgumentException($"Arrays of {values.GetType().GetElementType()} are not stored.", nameof(values)),
    };

    /// <summary>Visits the bytes of an array in blocks, since one span cannot cover more than 2 GiB of them.</summary>
    internal static void ForEachBlock(Array values, BlockAction visit)
    {
        const int block = 1 << 24;
        for (var at = 0; at < values.Length; at += block)
        {
            var count = Math.Min(block, values.Length - at);
            visit(values switch
            {
                float[] floats => MemoryMarshal.AsBytes(floats.AsSpan(at, count)),
                double[] doubles => MemoryMarshal.AsBytes(doubles.AsSpan(at, count)),
                byte[] bytes => bytes.AsSpan(at, count),
                _ => MemoryMarshal.AsBytes(((int[])values).AsSpan(at, count)),
            });
        }
    }

    internal delegate void BlockAction(ReadOnlySpan<byte> block);
}
