using PaDiM.Service.Http;

namespace PaDiM.Service.Admission;

/// <summary>
/// Admits images to the machine. An image waits once, for everything it needs together: a slot while it is scored, a
/// core, and the memory to decode it. The line goes before batches and batches before jobs; images of one priority go
/// in the order of their arrival. An image that waits for memory holds no core. Thread-safe.
/// </summary>
/// <remarks>
/// Jobs take no core, since their threads have the lowest priority, and their memory is separate: the line never waits
/// for the memory of a job.
/// </remarks>
internal sealed class ImageAdmission
{
    /// <summary>The line counts as active for this long after its last image.</summary>
    private static readonly TimeSpan LineActivity = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan JobPause = TimeSpan.FromMilliseconds(200);

    private readonly AdmissionLimits _limits;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();

    /// <summary>By priority, then by arrival.</summary>
    private readonly List<ImageLease> _waiting = [];

    private readonly MemoryBudget _requestMemory,
        _jobMemory;
    private int _freeSlots,
        _freeBatchSlots,
        _freeCores;
    private long _lastLineImage,
        _refusals;

    public ImageAdmission(AdmissionLimits limits, TimeProvider time)
    {
        _limits = limits;
        _time = time;
        _requestMemory = new MemoryBudget(limits.DecodeBytes);
        _jobMemory = new MemoryBudget(limits.DecodeBytes);
        _freeSlots = limits.Slots;
        // The line finds at least half of the slots free of batches.
        _freeBatchSlots = Math.Max(1, limits.Slots / 2);
        _freeCores = limits.Cores;
        _lastLineImage = time.GetTimestamp() - time.TimestampFrequency;
    }

    /// <summary>Gets the number of images that may hold a slot.</summary>
    public int Slots => _limits.Slots;

    /// <summary>Gets the number of images that hold a slot.</summary>
    public int SlotsInUse => _limits.Slots - Volatile.Read(ref _freeSlots);

    /// <summary>Gets the number of images that were refused because all slots were taken.</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    /// <summary>Gets whether all slots are taken.</summary>
    public bool IsFull => Volatile.Read(ref _freeSlots) == 0;

    /// <summary>Waits for a core and memory.</summary>
    /// <param name="decodeBytes">Memory that decoding takes; 0 if nothing is decoded. An image that needs more than the
    /// whole budget is decoded alone.</param>
    /// <param name="priority">Who waits for the image.</param>
    /// <param name="cancellationToken">Leaves the line.</param>
    public ValueTask<ImageLease> AcquireAsync(
        long decodeBytes,
        Priority priority,
        CancellationToken cancellationToken
    ) => AcquireAsync(new ImageLease(this, decodeBytes, priority, needsSlot: false), cancellationToken);

    /// <summary>
    /// Waits for a core, memory and a slot. The slot is bounded differently: an image of the line gets one at once or
    /// is refused, so that a line that is too fast learns it from an answer and not from a time-out. Images of batches
    /// wait for slots, and all batches together hold at most half of them.
    /// </summary>
    /// <param name="decodeBytes">Memory that decoding takes; 0 if nothing is decoded.</param>
    /// <param name="priority">Who waits for the score.</param>
    /// <param name="cancellationToken">Leaves the line.</param>
    /// <returns>A lease that is not acquired if the image is refused.</returns>
    public ValueTask<ImageLease> AcquireToScoreAsync(
        long decodeBytes,
        Priority priority,
        CancellationToken cancellationToken
    ) => AcquireAsync(new ImageLease(this, decodeBytes, priority, needsSlot: true), cancellationToken);

    /// <summary>
    /// Requests a core for an image that is already in progress, behind the next images of its priority, but not behind
    /// all of them. The caller waits for the lease to be granted, or disposes it to leave the line.
    /// </summary>
    /// <param name="behind">The number of images that go first.</param>
    /// <param name="priority">Who waits for the image.</param>
    public ImageLease RequestCore(int behind, Priority priority)
    {
        var lease = new ImageLease(this, decodeBytes: 0, priority, needsSlot: false);
        lock (_gate)
        {
            var first = _waiting.FindIndex(other => other.Priority >= priority);
            var last = _waiting.FindLastIndex(other => other.Priority <= priority) + 1;
            _waiting.Insert(first < 0 ? last : Math.Min(first + behind, last), lease);
            GrantWaiting();
        }
        return lease;
    }

    /// <summary>Blocks a thread of a job until there is memory.</summary>
    public ImageLease AcquireForJob(long decodeBytes) =>
        AcquireAsync(decodeBytes, Priority.Job, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <summary>
    /// Pauses a thread of a job before it reads an image, while the line is active. A thread of the lowest priority
    /// takes no processor from the line, but shares caches and memory bandwidth with it. With pauses it works in few
    /// bursts, and most images of the line meet none. A job never waits for the line to end.
    /// </summary>
    public void PauseForActiveLine(CancellationToken cancellationToken)
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _lastLineImage)) >= LineActivity)
            return;
        // Ends the pause on cancellation but leaves it to the job to stop.
        Task.WaitAny([Task.Delay(JobPause, _time, cancellationToken)], CancellationToken.None);
    }

    /// <summary>Counts a refusal and creates its answer.</summary>
    public Problem Refuse()
    {
        Interlocked.Increment(ref _refusals);
        return Problems.QueueFull("images are being scored");
    }

    public void ReleaseCoreAndMemory(ImageLease lease)
    {
        lock (_gate)
        {
            ReturnCoreAndMemory(lease);
            GrantWaiting();
        }
    }

    public void ReleaseCore(ImageLease lease)
    {
        lock (_gate)
        {
            ReturnCore(lease);
            GrantWaiting();
        }
    }

    public void Release(ImageLease lease)
    {
        lock (_gate)
        {
            _waiting.Remove(lease);
            ReturnCoreAndMemory(lease);
            ReturnSlot(lease);
            GrantWaiting();
        }
    }

    private ValueTask<ImageLease> AcquireAsync(ImageLease lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (lease.Priority == Priority.Line)
            Volatile.Write(ref _lastLineImage, _time.GetTimestamp());
        lock (_gate)
        {
            if (lease is { Priority: Priority.Line, NeedsSlot: true } && !TryTakeSlot(lease))
            {
                lease.IsAcquired = false;
                return ValueTask.FromResult(lease);
            }
            Enqueue(lease);
        }
        return lease.Granted.IsCompleted ? ValueTask.FromResult(lease) : WaitAsync(lease, cancellationToken);
    }

    private void Enqueue(ImageLease lease)
    {
        _waiting.Insert(_waiting.FindLastIndex(other => other.Priority <= lease.Priority) + 1, lease);
        GrantWaiting();
    }

    private static async ValueTask<ImageLease> WaitAsync(ImageLease lease, CancellationToken cancellationToken)
    {
        try
        {
            await lease.Granted.WaitAsync(cancellationToken);
            return lease;
        }
        catch (OperationCanceledException)
        {
            lease.Dispose();
            throw;
        }
    }

    private void GrantWaiting()
    {
        _requestMemory.StartPass();
        _jobMemory.StartPass();
        _waiting.RemoveAll(TryGrant);
    }

    /// <summary>Grants everything that an image waits for, or nothing but the slot.</summary>
    private bool TryGrant(ImageLease lease)
    {
        if (!TryTakeSlot(lease))
            return false;
        var memory = GetMemory(lease);
        if (!memory.HasRoomFor(lease.DecodeBytes) || (NeedsCore(lease) && _freeCores == 0))
            return false;
        memory.Take(lease.DecodeBytes);
        lease.HoldsMemory = true;
        if (NeedsCore(lease))
        {
            _freeCores--;
            lease.HoldsCore = true;
        }
        lease.Grant();
        return true;
    }

    private bool TryTakeSlot(ImageLease lease)
    {
        if (!lease.NeedsSlot || lease.HoldsSlot)
            return true;
        var isBatch = lease.Priority == Priority.Batch;
        if (_freeSlots == 0 || (isBatch && _freeBatchSlots == 0))
            return false;
        _freeSlots--;
        if (isBatch)
            _freeBatchSlots--;
        lease.HoldsSlot = true;
        return true;
    }

    private void ReturnSlot(ImageLease lease)
    {
        if (!lease.HoldsSlot)
            return;
        lease.HoldsSlot = false;
        _freeSlots++;
        if (lease.Priority == Priority.Batch)
            _freeBatchSlots++;
    }

    private void ReturnCoreAndMemory(ImageLease lease)
    {
        ReturnCore(lease);
        if (!lease.HoldsMemory)
            return;
        lease.HoldsMemory = false;
        GetMemory(lease).Return(lease.DecodeBytes);
    }

    private void ReturnCore(ImageLease lease)
    {
        if (!lease.HoldsCore)
            return;
        lease.HoldsCore = false;
        _freeCores++;
    }

    private MemoryBudget GetMemory(ImageLease lease) => lease.Priority == Priority.Job ? _jobMemory : _requestMemory;

    private static bool NeedsCore(ImageLease lease) => lease.Priority != Priority.Job;
}
