using System.Runtime.InteropServices;
using System.Text.Json;

namespace PaDiM.Engine.Tests.Support;

/// <summary>
/// The published format and nothing else: a length, a JSON header, and the tensors' bytes one after the other.
/// </summary>
internal static class MinimalSafetensors
{
    public static Dictionary<string, (string Type, long[] Shape, byte[] Data)> Parse(
        byte[] file,
        out Dictionary<string, string> metadata
    )
    {
        var length = (int)BitConverter.ToUInt64(file);
        var data = file.AsMemory(8 + length);
        using var header = JsonDocument.Parse(file.AsMemory(8, length));
        metadata = header.RootElement.GetProperty("__metadata__").Deserialize<Dictionary<string, string>>()!;
        return header
            .RootElement.EnumerateObject()
            .Where(property => property.Name != "__metadata__")
            .ToDictionary(
                property => property.Name,
                property =>
                {
                    var offsets = property.Value.GetProperty("data_offsets").Deserialize<int[]>()!;
                    return (
                        property.Value.GetProperty("dtype").GetString()!,
                        property.Value.GetProperty("shape").Deserialize<long[]>()!,
                        data[offsets[0]..offsets[1]].ToArray()
                    );
                }
            );
    }

    public static float[] Floats(byte[] data) => MemoryMarshal.Cast<byte, float>(data).ToArray();

    public static double[] Doubles(byte[] data) => MemoryMarshal.Cast<byte, double>(data).ToArray();
}
