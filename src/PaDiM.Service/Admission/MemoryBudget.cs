namespace PaDiM.Service.Admission;

/// <summary>
/// Memory for decoding. An image that does not fit holds up those behind it, so that small images never overtake a
/// large one for ever. Not thread-safe.
/// </summary>
internal sealed class MemoryBudget
{
    private readonly long _capacity;
    private long _free;
    private bool _isHeldUp;

    /// <summary>Creates a budget.</summary>
    /// <param name="capacity">Bytes that may be in use; an image that needs more gets all of them.</param>
    public MemoryBudget(long capacity)
    {
        _capacity = capacity;
        _free = capacity;
    }

    /// <summary>Starts a pass over the images that wait, in their order.</summary>
    public void StartPass() => _isHeldUp = false;

    /// <summary>Gets whether there is room for the next image of the pass.</summary>
    public bool HasRoomFor(long bytes)
    {
        if (bytes == 0)
            return true;
        _isHeldUp |= Clamp(bytes) > _free;
        return !_isHeldUp;
    }

    public void Take(long bytes) => _free -= Clamp(bytes);

    public void Return(long bytes) => _free += Clamp(bytes);

    private long Clamp(long bytes) => Math.Min(bytes, _capacity);
}
