using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Support;

/// <summary>A service without a key, which counts no failed attempts.</summary>
public sealed class OpenService : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private RunningService _service = null!;

    internal HttpClient Http => _service.Http;

    public async ValueTask InitializeAsync() =>
        _service = await RunningService.StartAsync(_data.Path, ("JobWorkers", 0), ("FailedAttemptsPerMinute", 0));

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        _data.Dispose();
    }
}
