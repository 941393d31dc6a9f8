namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Memory that is set aside for decoding: where many large images come at once, some wait until others are done. Urgent
/// ones go first; besides, all have their turn in the order in which they came, so that small ones never pass a large
/// one for ever.
/// </summary>
/// <param name="capacity">Bytes that may be in use together; an image that needs more than all of them is decoded by
/// itself.</param>
internal sealed class DecodingMemory(long capacity)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Share> _urgent = [],
        _patient = [];
    private readonly long _capacity = capacity;
    private long _free = capacity;

    /// <summary>Asks for room.</summary>
    public Share Ask(long bytes, bool isUrgent)
    {
        var share = new Share(this, Math.Min(bytes, _capacity));
        lock (_gate)
        {
            (isUrgent ? _urgent : _patient).AddLast(share.Turn);
            Grant();
        }
        return share;
    }

    private void Grant()
    {
        while ((_urgent.First ?? _patient.First) is { } next && next.Value.Bytes <= _free)
        {
            _free -= next.Value.Bytes;
            next.List!.Remove(next);
            next.Value.Grant();
        }
    }

    private void GiveBack(Share share)
    {
        lock (_gate)
        {
            if (share.Turn.List is { } queue)
                queue.Remove(share.Turn);
            else
                _free += share.Bytes;
            Grant();
        }
    }

    /// <summary>Room, or a turn in the queue for it; given back or given up when disposed.</summary>
    internal sealed class Share : IDisposable
    {
        private readonly DecodingMemory _memory;
        private readonly TaskCompletionSource _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Share(DecodingMemory memory, long bytes)
        {
            _memory = memory;
            Bytes = bytes;
            Turn = new LinkedListNode<Share>(this);
        }

        /// <summary>Ends when the room is there.</summary>
        public Task Granted => _granted.Task;

        public long Bytes { get; }

        public LinkedListNode<Share> Turn { get; }

        public void Grant() => _granted.SetResult();

        public void Dispose() => _memory.GiveBack(this);
    }
}
