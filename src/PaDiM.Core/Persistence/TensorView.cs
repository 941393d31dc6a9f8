using System.Buffers;
using System.Runtime.CompilerServices;

namespace PaDiM.Core.Persistence;

/// <summary>
/// A tensor in a file whose bytes lie in memory. Owns nothing, but holds on to the memory, which goes when nothing
/// refers to it any more.
/// </summary>
internal sealed unsafe class TensorView<T> : MemoryManager<T>
    where T : unmanaged
{
    private readonly UnmanagedMemoryStream _memory;
    private readonly T* _start;
    private readonly int _length;

    private TensorView(UnmanagedMemoryStream memory, T* start, int length)
    {
        _memory = memory;
        _start = start;
        _length = length;
    }

    /// <summary>
    /// A view of elements of a file in memory; null where they are not aligned to their size, or too many for one view.
    /// </summary>
    public static TensorView<T>? TryCreate(UnmanagedMemoryStream memory, long offset, long count)
    {
        memory.Position = offset;
        var start = memory.PositionPointer;
        return count <= Array.MaxLength && (nuint)start % (nuint)Unsafe.SizeOf<T>() == 0
            ? new TensorView<T>(memory, (T*)start, (int)count)
            : null;
    }

    public override Span<T> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex, pinnable: this);

    public override void Unpin() => GC.KeepAlive(_memory);

    protected override void Dispose(bool disposing)
    {
        // The memory may serve other tensors; its own finalizer gives it back.
    }
}
