using Microsoft.Extensions.Options;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Bounds what is under way: so many images may wait, and as many are decoded at a time as there are cores. One image more is refused at once, so that
/// a line that is too fast learns it from an answer and not from a time-out.
/// </summary>
internal sealed class ScoreQueue(IOptions<PadimOptions> options) : IDisposable
{
    private readonly SemaphoreSlim places = new(options.Value.QueueCapacity, options.Value.QueueCapacity);

    /// <summary>Permits to decode: decoding takes a core and, for large images, much memory.</summary>
    public SemaphoreSlim Decoding { get; } = new(Environment.ProcessorCount, Environment.ProcessorCount);

    /// <summary>A place, given back when disposed; null when all are taken.</summary>
    public IDisposable? TryEnter() => places.Wait(0) ? new Place(places) : null;

    public void Dispose()
    {
        places.Dispose();
        Decoding.Dispose();
    }

    private sealed class Place(SemaphoreSlim places) : IDisposable
    {
        public void Dispose() => places.Release();
    }
}
