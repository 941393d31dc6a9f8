using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

[assembly: AssemblyFixture(typeof(SharedService))]

namespace PaDiM.Service.Tests.Support;

/// <summary>One service for all tests that need none of their own: each uses categories of its own.</summary>
public class SharedService : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private readonly SemaphoreSlim _fitting = new(1, 1);
    private CategoryClient? _fitted;
    private int _categories;

    internal RunningService Service { get; private set; } = null!;

    internal HttpClient Http => Service.Http;

    /// <summary>The settings of its database, for another replica.</summary>
    internal (string Option, object Value)[] Database { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        Database = await CreateDatabaseAsync();
        Service = await RunningService.StartAsync(_data.Path, Database);
    }

    public async ValueTask DisposeAsync()
    {
        if (Service is not null)
            await Service.DisposeAsync();
        _data.Dispose();
        _fitting.Dispose();
    }

    private protected virtual Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        Task.FromResult<(string Option, object Value)[]>([]);

    /// <summary>A name that no other test has.</summary>
    internal string NewName() => $"category-{Interlocked.Increment(ref _categories)}";

    /// <summary>An empty category with small settings.</summary>
    internal async Task<CategoryClient> NewCategoryAsync()
    {
        var category = Service.Category(NewName());
        await category.CreateAsync();
        return category;
    }

    /// <summary>A category with a model of <see cref="Parts.Good"/>; tests only score with it.</summary>
    internal async Task<CategoryClient> FittedAsync()
    {
        await _fitting.WaitAsync();
        try
        {
            if (_fitted is not null)
                return _fitted;
            var category = await NewCategoryAsync();
            await category.UploadPartsAsync(0, 12);
            await category.FitAsync();
            return _fitted = category;
        }
        finally
        {
            _fitting.Release();
        }
    }
}
