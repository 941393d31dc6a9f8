using PaDiM.Service.Memory;

namespace PaDiM.Service.Admission;

/// <summary>
/// Counts the bytes of the images that are being received or scored. An image that does not fit any more is refused, and
/// the rest of its body is not read. Thread-safe.
/// </summary>
internal sealed class BodyMemory(MemoryPlan memory)
{
    private long _held;

    /// <summary>Starts to count the body of a request. Nothing is held until it grows.</summary>
    public Lease Start() => new(this);

    /// <summary>Takes more bytes if they fit, or if nothing else is held: one image always passes.</summary>
    private bool TryTake(long bytes, long held)
    {
        var all = Interlocked.Add(ref _held, bytes);
        if (all <= memory.Bodies.Bytes || all == held + bytes)
            return true;
        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    /// <summary>What one request holds, until it is disposed.</summary>
    internal sealed class Lease(BodyMemory memory) : IDisposable
    {
        private long _bytes;

        /// <summary>Takes memory for a body of so many bytes; false if there is not enough.</summary>
        public bool TryGrow(long bytes)
        {
            if (bytes <= _bytes)
                return true;
            if (!memory.TryTake(bytes - _bytes, _bytes))
                return false;
            _bytes = bytes;
            return true;
        }

        public void Dispose()
        {
            Interlocked.Add(ref memory._held, -_bytes);
            _bytes = 0;
        }
    }
}
