using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace PaDiM.Backbones.Tests.Support;

/// <summary>
/// Writes checkpoints and pickles operation by operation, good ones and hostile ones, without the reader that is
/// tested.
/// </summary>
internal static class TorchFile
{
    /// <summary>A checkpoint of float32 tensors, as <c>torch.save</c> writes a state dict.</summary>
    public static void Write(string path, IEnumerable<(string Name, long[] Shape, float[] Values)> tensors)
    {
        var pickle = new List<byte>("}("u8.ToArray());
        var storages = new List<(string, byte[])>();
        foreach (var (name, shape, values) in tensors)
        {
            pickle.AddRange([.. Text(name), .. Tensor($"{storages.Count}", values.Length, 0, shape, StridesOf(shape))]);
            storages.Add(($"{storages.Count}", MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        }
        File.WriteAllBytes(path, Zip([.. pickle, (byte)'u'], [.. storages]));
    }

    /// <summary>A zip file with a pickle of protocol 2 and storages.</summary>
    public static byte[] Zip(byte[] pickle, params (string Key, byte[] Data)[] storages) =>
        Zip(
            [
                ("data.pkl", [0x80, 2, .. pickle, (byte)'.']),
                .. storages.Select(storage => ($"data/{storage.Key}", storage.Data)),
            ],
            CompressionLevel.NoCompression
        );

    public static byte[] Zip((string Name, byte[] Data)[] entries, CompressionLevel level)
    {
        var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, data) in entries)
            {
                using var entry = archive.CreateEntry($"archive/{name}", level).Open();
                entry.Write(data);
            }
        return file.ToArray();
    }

    /// <summary>A dictionary of one tensor named x.</summary>
    public static byte[] One(byte[] tensor) => [.. "}"u8, .. Text("x"), .. tensor, (byte)'s'];

    /// <summary>A float32 tensor as a view of a storage.</summary>
    public static byte[] Tensor(string key, long length, long offset, long[] shape, long[] strides) =>
        [
            .. Global("torch._utils", "_rebuild_tensor_v2"),
            (byte)'(',
            .. Storage("FloatStorage", key, length),
            .. Whole(offset),
            .. Tuple(shape),
            .. Tuple(strides),
            0x89,
            .. "}t"u8,
            (byte)'R',
        ];

    public static byte[] Storage(string type, string key, long length) =>
        [
            (byte)'(',
            .. Text("storage"),
            .. Global("torch", type),
            .. Text(key),
            .. Text("cpu"),
            .. Whole(length),
            (byte)'t',
            (byte)'Q',
        ];

    public static byte[] Global(string module, string name) => [.. Encoding.UTF8.GetBytes($"c{module}\n{name}\n")];

    public static byte[] Text(string text) =>
        [(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Whole(long value) => [0x8a, 8, .. BitConverter.GetBytes(value)];

    public static byte[] Tuple(long[] values) => [(byte)'(', .. values.SelectMany(Whole), (byte)'t'];

    private static long[] StridesOf(long[] shape) =>
        [.. shape.Select((_, i) => shape[(i + 1)..].Aggregate(1L, (product, extent) => product * extent))];
}
