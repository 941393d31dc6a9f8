using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Support;

/// <summary>A service with a key that knows two proxies, shared by tests with categories of their own.</summary>
public sealed class ProxiedService : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private int _categories;

    internal RunningService Service { get; private set; } = null!;

    /// <summary>A client with the key.</summary>
    internal HttpClient Boss { get; private set; } = null!;

    internal string Key { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // The first key comes before the proxy: a service behind one does not start without.
        await using (var first = await RunningService.StartAsync(_data.Path))
            (Key, _) = await first.KeyAsync(AccessScope.Admin);
        Service = await RunningService.StartAsync(
            _data.Path,
            ("KnownProxies:0", "127.0.0.1"),
            ("KnownProxies:1", "127.1.0.0/16"),
            ("JobWorkers", 0)
        );
        Boss = Service.With(Key);
    }

    /// <summary>A name that no other test has.</summary>
    internal string NewName() => $"part-{Interlocked.Increment(ref _categories)}";

    public async ValueTask DisposeAsync()
    {
        Boss.Dispose();
        await Service.DisposeAsync();
        _data.Dispose();
    }
}
