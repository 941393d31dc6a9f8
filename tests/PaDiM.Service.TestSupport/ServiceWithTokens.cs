using PaDiM.TestSupport;

namespace PaDiM.Service.TestSupport;

/// <summary>
/// A service that takes the tokens of an identity provider on this machine, and counts no failed attempts.
/// </summary>
internal sealed class ServiceWithTokens : IAsyncDisposable
{
    private readonly TempDirectory _data = new();

    private ServiceWithTokens() { }

    public TokenIssuer Issuer { get; private set; } = null!;

    public RunningService Service { get; private set; } = null!;

    public static async Task<ServiceWithTokens> StartAsync()
    {
        var started = new ServiceWithTokens { Issuer = await TokenIssuer.StartAsync() };
        started.Service = await RunningService.StartAsync(
            started._data.Path,
            [("JobWorkers", 0), ("FailedAttemptsPerMinute", 0), .. started.Issuer.Options]
        );
        return started;
    }

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        await Issuer.DisposeAsync();
        _data.Dispose();
    }
}
