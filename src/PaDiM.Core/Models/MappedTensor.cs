using System.Buffers;
using System.Runtime.CompilerServices;

namespace PaDiM.Core.Models;

/// <summary>A tensor in a file that is mapped into memory. Owns nothing, but holds on to the mapping, which ends when nothing refers to it any more.</summary>
internal sealed unsafe class MappedTensor<T> : MemoryManager<T> where T : unmanaged
{
    private readonly UnmanagedMemoryStream mapping;
    private readonly T* start;
    private readonly int length;

    private MappedTensor(UnmanagedMemoryStream mapping, T* start, int length)
    {
        this.mapping = mapping;
        this.start = start;
        this.length = length;
    }

    /// <summary>A view of elements of a mapped file; null where they are not aligned to their size, or too many for one view.</summary>
    public static MappedTensor<T>? TryMap(UnmanagedMemoryStream mapping, long offset, long count)
    {
        mapping.Position = offset;
        var start = mapping.PositionPointer;
        return count <= Array.MaxLength && (nuint)start % (nuint)Unsafe.SizeOf<T>() == 0 ? new MappedTensor<T>(mapping, (T*)start, (int)count) : null;
    }

    public override Span<T> GetSpan() => new(start, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex, pinnable: this);

    public override void Unpin() => GC.KeepAlive(mapping);

    protected override void Dispose(bool disposing)
    {
        // The mapping may serve other tensors; its own finalizer ends it.
    }
}
