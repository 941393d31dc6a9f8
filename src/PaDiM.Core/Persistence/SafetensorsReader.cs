using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace PaDiM.Core.Persistence;

/// <summary>
/// Reads a safetensors file, which may be hostile: the header is bounded and checked against the file's length before
/// anything is allocated, and the content is checked against the hash in the metadata before any of it is used.
/// </summary>
public sealed class SafetensorsReader
{
    private const int MaxHeaderBytes = 32 << 20;
    private readonly Stream _stream;
    private readonly long _dataStart;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private sealed record Entry(string Type, long[] Shape, long Start, long End);

    private SafetensorsReader(Stream stream, long dataStart)
    {
        _stream = stream;
        _dataStart = dataStart;
    }

    /// <summary>Gets the names of the tensors.</summary>
    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>Gets the metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Opens a file and verifies it.</summary>
    /// <param name="stream">A seekable stream at the start of the file; must stay open while tensors are read.</param>
    /// <param name="verified">True if the caller has already verified the content, so that the checksum is
    /// skipped.</param>
    /// <exception cref="InvalidDataException">The file is not in the format, is damaged, or has no checksum although it
    /// is needed.</exception>
    public static SafetensorsReader Open(Stream stream, bool verified = false)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            throw new InvalidDataException("The file is shorter than a safetensors header.");
        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length is < 2 or > MaxHeaderBytes || length > stream.Length - 8)
            throw new InvalidDataException("The file does not start with a safetensors header.");
        var header = new byte[length];
        stream.ReadExactly(header);
        var reader = new SafetensorsReader(stream, 8 + length);
        try
        {
            reader.ReadHeader(header);
        }
        catch (Exception e)
            when (e
                    is JsonException
                        or InvalidOperationException
                        or FormatException
                        or KeyNotFoundException
                        or IndexOutOfRangeException
                        or OverflowException
            )
        {
            throw new InvalidDataException("The safetensors header cannot be read.", e);
        }
        if (!verified)
            reader.VerifyHash();
        return reader;
    }

    /// <summary>
    /// Reads a tensor. From an <see cref="UnmanagedMemoryStream"/> it is a view that keeps the memory alive, otherwise
    /// a copy.
    /// </summary>
    /// <typeparam name="T">float, double, Half, int, short or byte, or ushort for bfloat16.</typeparam>
    /// <exception cref="InvalidDataException">The tensor is missing, or has another type or shape.</exception>
    public ReadOnlyMemory<T> Read<T>(string name, params long[] shape)
        where T : unmanaged
    {
        var entry = Find<T>(name, shape, out var count);
        if (
            _stream is UnmanagedMemoryStream memory
            && TensorView<T>.TryCreate(memory, _dataStart + entry.Start, count) is { } view
        )
            return view.Memory;
        var values = LargeArray.Create<T>(count);
        Fill(entry, values);
        return values;
    }

    /// <summary>Reads a tensor into an existing array.</summary>
    /// <exception cref="InvalidDataException">The tensor is missing, or has another type or shape.</exception>
    public void Read<T>(string name, T[] into, params long[] shape)
        where T : unmanaged
    {
        var entry = Find<T>(name, shape, out var count);
        Fill(entry, Shapes.CheckLength(into, count));
    }

    /// <summary>Reads a tensor into a new array.</summary>
    /// <exception cref="InvalidDataException">The tensor is missing, or has another type or shape.</exception>
    public T[] ReadArray<T>(string name, params long[] shape)
        where T : unmanaged
    {
        var entry = Find<T>(name, shape, out var count);
        var values = LargeArray.Create<T>(count);
        Fill(entry, values);
        return values;
    }

    /// <summary>Returns whether the file has a tensor with a name.</summary>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>Gets the shape of a tensor.</summary>
    /// <exception cref="InvalidDataException">The tensor is missing.</exception>
    public IReadOnlyList<long> GetShape(string name) => Find(name).Shape;

    /// <summary>Gets the format's name for the type of a tensor's elements, such as <c>F32</c>.</summary>
    /// <exception cref="InvalidDataException">The tensor is missing.</exception>
    public string GetTypeName(string name) => Find(name).Type;

    private Entry Find(string name) =>
        _entries.TryGetValue(name, out var entry)
            ? entry
            : throw new InvalidDataException($"The file has no tensor named {name}.");

    private Entry Find<T>(string name, long[] shape, out long count)
        where T : unmanaged
    {
        var entry = Find(name);
        var type = SafetensorsTensor.GetTypeName<T>();
        if (entry.Type != type || !entry.Shape.SequenceEqual(shape))
            throw new InvalidDataException(
                $"Tensor {name} is {entry.Type} ({string.Join(", ", entry.Shape)}), not {type} "
                    + $"({string.Join(", ", shape)})."
            );
        count = shape.Aggregate(1L, (product, extent) => checked(product * extent));
        return entry;
    }

    private void Fill<T>(Entry entry, T[] values)
        where T : unmanaged
    {
        const int block = 1 << 22;
        _stream.Position = _dataStart + entry.Start;
        for (var at = 0; at < values.Length; at += Math.Min(block, values.Length - at))
            _stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(at, Math.Min(block, values.Length - at))));
    }

    private void ReadHeader(byte[] header)
    {
        using var json = JsonDocument.Parse(header);
        foreach (var property in json.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                foreach (var pair in property.Value.EnumerateObject())
                    _metadata[pair.Name] = pair.Value.GetString() ?? "";
                continue;
            }
            var offsets = property.Value.GetProperty("data_offsets");
            var entry = new Entry(
                property.Value.GetProperty("dtype").GetString() ?? "",
                [.. property.Value.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt64())],
                offsets[0].GetInt64(),
                offsets[1].GetInt64()
            );
            var bytes = entry.Shape.Aggregate(
                (long)(SafetensorsTensor.GetElementSize(entry.Type) ?? throw new FormatException()),
                (product, extent) => extent < 1 ? throw new FormatException() : checked(product * extent)
            );
            if (
                entry.End - entry.Start != bytes
                || entry.End > _stream.Length - _dataStart
                || !_entries.TryAdd(property.Name, entry)
            )
                throw new FormatException();
        }
        // Other writers may list tensors in another order than their data, but the format has neither gaps nor
        // overlaps.
        var expected = 0L;
        foreach (var entry in _entries.Values.OrderBy(entry => entry.Start))
            expected = entry.Start == expected ? entry.End : throw new FormatException();
        if (_dataStart + expected != _stream.Length)
            throw new FormatException();
    }

    private void VerifyHash()
    {
        if (!_metadata.TryGetValue(Safetensors.HashKey, out var expected))
            throw new InvalidDataException("The file has no checksum.");
        var hash = new XxHash128();
        Safetensors.AppendHeader(
            hash,
            _metadata,
            _entries
                .OrderBy(pair => pair.Value.Start)
                .Select(pair => (pair.Key, pair.Value.Type, (IReadOnlyList<long>)pair.Value.Shape))
        );
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            _stream.Position = _dataStart;
            for (int read; (read = _stream.Read(buffer)) > 0; )
                hash.Append(buffer.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (Convert.ToHexStringLower(hash.GetCurrentHash()) != expected)
            throw new InvalidDataException("The file is damaged: its content does not match its checksum.");
    }
}
