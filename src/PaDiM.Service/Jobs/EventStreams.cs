using Microsoft.Extensions.Options;

namespace PaDiM.Service.Jobs;

/// <summary>Limits the clients that follow jobs: each polls the database several times per second.</summary>
internal sealed class EventStreams(IOptions<JobOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Value.MaxEventStreams, options.Value.MaxEventStreams);

    /// <summary>Takes a place, which is released on disposal; null when all are taken.</summary>
    public IDisposable? TryEnter() => _places.Wait(0) ? new Release(_places) : null;

    public void Dispose() => _places.Dispose();

    private sealed class Release(SemaphoreSlim places) : IDisposable
    {
        public void Dispose() => places.Release();
    }
}
