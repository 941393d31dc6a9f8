namespace PaDiM.Onnx.Imaging;

/// <summary>Memory that is set aside for decoding: where many large images come at once, some wait until others are done. In the order in which they came, so that small ones never pass a large one for ever.</summary>
/// <param name="capacity">Bytes that may be in use together; an image that needs more than all of them is decoded by itself.</param>
internal sealed class DecodingMemory(long capacity)
{
    private readonly Lock turn = new();
    private readonly object gate = new();
    private readonly long capacity = capacity;
    private long free = capacity;

    /// <summary>Waits for room. A decoder holds a thread and a core for all of its work, and while it waits too.</summary>
    public Share Take(long bytes)
    {
        var wanted = Math.Min(bytes, capacity);
        lock (turn)
        {
            lock (gate)
            {
                while (free < wanted) Monitor.Wait(gate);
                free -= wanted;
            }
        }
        return new Share(this, wanted);
    }

    /// <summary>Room that is given back when disposed.</summary>
    internal readonly struct Share(DecodingMemory memory, long bytes) : IDisposable
    {
        public void Dispose()
        {
            lock (memory.gate)
            {
                memory.free += bytes;
                Monitor.PulseAll(memory.gate);
            }
        }
    }
}
