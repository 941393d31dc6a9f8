using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

[assembly: AssemblyFixture(typeof(SharedService))]

namespace PaDiM.Client.Tests.Support;

/// <summary>A real service for all tests: each uses categories of its own.</summary>
public sealed class SharedService : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private readonly SemaphoreSlim _fitting = new(1, 1);
    private string? _fitted;
    private int _categories;

    internal RunningService Service { get; private set; } = null!;

    internal Uri Address => Service.Http.BaseAddress!;

    /// <summary>A client without a key.</summary>
    internal PadimClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Service = await RunningService.StartAsync(_data.Path);
        Client = new PadimClient(Address);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (Service is not null)
            await Service.DisposeAsync();
        _data.Dispose();
        _fitting.Dispose();
    }

    /// <summary>A name that no other test has.</summary>
    internal string NewName() => $"part-{Interlocked.Increment(ref _categories)}";

    /// <summary>A category with a model of <see cref="Parts.Good"/>; tests only score with it.</summary>
    internal async Task<string> FittedAsync()
    {
        await _fitting.WaitAsync();
        try
        {
            if (_fitted is not null)
                return _fitted;
            var category = Service.Category(NewName());
            await category.CreateFittedAsync(12);
            return _fitted = category.Name;
        }
        finally
        {
            _fitting.Release();
        }
    }
}
