namespace PaDiM.Service.Admission;

/// <summary>
/// What one image may use: a core, the memory to decode it and, while it is scored, a slot. Given back when disposed;
/// a lease that is still waiting leaves the line.
/// </summary>
internal sealed class ImageLease : IDisposable
{
    private readonly ImageAdmission _admission;
    private readonly TaskCompletionSource _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ImageLease(ImageAdmission admission, long decodeBytes, Priority priority, bool needsSlot)
    {
        _admission = admission;
        DecodeBytes = decodeBytes;
        Priority = priority;
        NeedsSlot = needsSlot;
    }

    public long DecodeBytes { get; }

    public Priority Priority { get; }

    public bool NeedsSlot { get; }

    /// <summary>
    /// Gets whether the image was admitted; an image of the line is refused while all slots are taken.
    /// </summary>
    public bool IsAcquired { get; internal set; } = true;

    /// <summary>Gets a task that completes when the core and the memory are granted.</summary>
    public Task Granted => _granted.Task;

    /// <summary>Gets or sets whether the slot is taken. Only the admission sets it, under its lock.</summary>
    public bool HoldsSlot { get; set; }

    /// <summary>Gets or sets whether the core is taken. Only the admission sets it, under its lock.</summary>
    public bool HoldsCore { get; set; }

    /// <summary>Gets or sets whether the memory is taken. Only the admission sets it, under its lock.</summary>
    public bool HoldsMemory { get; set; }

    /// <summary>Gives the core and the memory back and keeps the slot: the image is decoded.</summary>
    public void ReleaseCoreAndMemory() => _admission.ReleaseCoreAndMemory(this);

    /// <summary>Gives the core back and keeps the rest: the decoded image is still needed.</summary>
    public void ReleaseCore() => _admission.ReleaseCore(this);

    public void Dispose() => _admission.Release(this);

    internal void Grant() => _granted.SetResult();
}
