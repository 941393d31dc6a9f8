using System.Runtime.InteropServices;

namespace PaDiM.Core.Persistence;

/// <summary>
/// A named array with a shape, for a safetensors file. The values are borrowed, never copied.
/// </summary>
public sealed class SafetensorsTensor
{
    private const int Block = 1 << 22;
    private readonly BytesGetter _bytes;
    private readonly int _length;

    private SafetensorsTensor(string name, string type, int size, long[] shape, int length, BytesGetter bytes)
    {
        Name = name;
        Type = type;
        ElementSize = size;
        Shape = shape;
        _length = length;
        _bytes = bytes;
    }

    private delegate ReadOnlySpan<byte> BytesGetter(int first, int count);

    internal delegate void BlockAction(ReadOnlySpan<byte> block);

    /// <summary>Gets the name in the file.</summary>
    public string Name { get; }

    /// <summary>Gets the extents, outermost first.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Gets the format's name for the type of the elements.</summary>
    internal string Type { get; }

    /// <summary>Gets the size of an element in bytes.</summary>
    internal int ElementSize { get; }

    /// <summary>Gets the size of all elements in bytes.</summary>
    internal long ByteLength => (long)_length * ElementSize;

    /// <summary>Creates a tensor.</summary>
    /// <param name="name">Name in the file.</param>
    /// <param name="shape">Extents, outermost first.</param>
    /// <param name="values">Row-major; float, double, Half, int, short or byte, or ushort for bfloat16.</param>
    /// <exception cref="ArgumentException">The number of values does not match the shape, or their type is not
    /// supported.</exception>
    public static SafetensorsTensor Create<T>(string name, long[] shape, ReadOnlyMemory<T> values)
        where T : unmanaged
    {
        if (shape.Aggregate(1L, (product, extent) => product * extent) != values.Length)
            throw new ArgumentException(
                $"Tensor {name} has {values.Length} values for shape ({string.Join(", ", shape)}).",
                nameof(values)
            );
        return new SafetensorsTensor(
            name,
            GetTypeName<T>(),
            Marshal.SizeOf<T>(),
            shape,
            values.Length,
            (first, count) => MemoryMarshal.AsBytes(values.Span.Slice(first, count))
        );
    }

    /// <inheritdoc cref="Create{T}(string, long[], ReadOnlyMemory{T})"/>
    public static SafetensorsTensor Create<T>(string name, long[] shape, T[] values)
        where T : unmanaged => Create<T>(name, shape, values.AsMemory());

    /// <summary>Visits the bytes in blocks, since one span cannot cover more than 2 GiB of them.</summary>
    internal void ForEachBlock(BlockAction visit)
    {
        for (var first = 0; first < _length; first += Math.Min(Block, _length - first))
            visit(_bytes(first, Math.Min(Block, _length - first)));
    }

    /// <summary>Gets the format's name for a type of elements.</summary>
    internal static string GetTypeName<T>() =>
        default(T) switch
        {
            float => "F32",
            double => "F64",
            int => "I32",
            short => "I16",
            ushort => "BF16",
            Half => "F16",
            byte => "U8",
            _ => throw new ArgumentException($"Arrays of {typeof(T)} are not supported."),
        };

    /// <summary>
    /// Gets the size in bytes of an element of any type in the format, including types that readers only skip; null for
    /// unknown types.
    /// </summary>
    internal static int? GetElementSize(string type) =>
        type switch
        {
            "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" => 1,
            "I16" or "U16" or "F16" or "BF16" => 2,
            "F32" or "I32" or "U32" => 4,
            "F64" or "I64" or "U64" => 8,
            _ => null,
        };
}
