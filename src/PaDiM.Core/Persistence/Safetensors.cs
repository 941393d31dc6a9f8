using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace PaDiM.Core.Persistence;

/// <summary>
/// Writes the safetensors format (8-byte little-endian header length, JSON header, raw little-endian data). The
/// metadata includes an XXH128 hash of the other metadata, the shapes and the data, which detects damaged files. The
/// same content always gives the same bytes.
/// </summary>
public static class Safetensors
{
    internal const string HashKey = "xxh128";
    internal const int Alignment = 64;

    /// <summary>Writes tensors in the given order.</summary>
    public static void Write(
        Stream stream,
        IReadOnlyDictionary<string, string> metadata,
        params IReadOnlyList<SafetensorsTensor> tensors
    )
    {
        var hash = new XxHash128();
        AppendHeader(hash, metadata, tensors.Select(tensor => (tensor.Name, tensor.Type, tensor.Shape)));
        foreach (var tensor in tensors)
            tensor.ForEachBlock(hash.Append);
        var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                json.WriteString(key, value);
            json.WriteString(HashKey, Convert.ToHexStringLower(hash.GetCurrentHash()));
            json.WriteEndObject();
            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type);
                json.WriteStartArray("shape");
                foreach (var extent in tensor.Shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // Padding aligns the data, so that mapped files can be read in place.
        while ((8 + header.Length) % Alignment != 0)
            header.WriteByte((byte)' ');
        stream.Write(BitConverter.GetBytes(header.Length));
        header.WriteTo(stream);
        foreach (var tensor in tensors)
            tensor.ForEachBlock(stream.Write);
    }

    /// <summary>
    /// Appends a header to a hash: metadata in ordinal order without the hash itself, then tensors in the order of
    /// their data.
    /// </summary>
    internal static void AppendHeader(
        XxHash128 hash,
        IEnumerable<KeyValuePair<string, string>> metadata,
        IEnumerable<(string Name, string Type, IReadOnlyList<long> Shape)> tensors
    )
    {
        foreach (
            var (key, value) in metadata
                .Where(pair => pair.Key != HashKey)
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
        )
            hash.Append(Encoding.UTF8.GetBytes($"{key}\0{value}\0"));
        foreach (var (name, type, shape) in tensors)
            hash.Append(Encoding.UTF8.GetBytes($"{name}\0{type}\0{string.Join(',', shape)}\0"));
    }
}
