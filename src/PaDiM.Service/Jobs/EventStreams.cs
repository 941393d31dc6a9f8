using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Jobs;

/// <summary>Bounds how many clients follow jobs: each asks the database for news several times a second.</summary>
internal sealed class EventStreams(IOptions<JobOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Value.MaxEventStreams, options.Value.MaxEventStreams);

    /// <summary>A place, given back when disposed; null when all are taken.</summary>
    public IDisposable? TryEnter() => _places.Wait(0) ? new Place(_places) : null;

    public void Dispose() => _places.Dispose();
}
