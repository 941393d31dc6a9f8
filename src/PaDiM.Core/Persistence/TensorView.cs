using System.Buffers;
using System.Runtime.CompilerServices;

namespace PaDiM.Core.Persistence;

/// <summary>
/// A view of a tensor in a file that is in memory. It does not own the memory, but keeps it alive.
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
    /// Creates a view; null if the elements are not aligned to their size, or are too many for one view.
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
        // Other tensors may use the memory; its own finalizer releases it.
    }
}
