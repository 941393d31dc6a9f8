using PaDiM.Service.Models;
using PaDiM.Service.Tests.Support;

namespace PaDiM.Service.Tests;

public sealed class DriftMonitorTests(SharedService shared)
{
    private readonly ModelMetrics _metrics = shared.Service.Get<ModelMetrics>();
    private readonly DriftMonitor _drift = shared.Service.Get<DriftMonitor>();

    [Fact]
    public async Task A_request_that_still_holds_the_version_before_leaves_the_window_of_the_next_one_alone()
    {
        var before = await SnapshotAsync();
        var next = before with { Version = before.Version + 1 };
        _metrics.SetReady(before);
        _drift.Record(before, 0.5);

        _metrics.SetReady(next);
        _drift.Record(next, 0.5);
        _drift.Record(before, 0.5);
        _drift.Record(next, 0.5);
        Assert.Equal(2, CountImages(next.Category));

        // The way back to the version before starts a window of its own.
        _metrics.SetReady(before);
        _drift.Record(next, 0.5);
        _drift.Record(before, 0.5);
        Assert.Equal(1, CountImages(next.Category));
        _metrics.Remove(next.Category);
        Assert.DoesNotContain(_drift.Measure(), each => each.Category == next.Category);
    }

    [Fact]
    public async Task A_version_that_is_loaded_again_goes_on_with_its_window()
    {
        var model = await SnapshotAsync();
        for (var i = 0; i < 2; i++)
        {
            _metrics.SetReady(model);
            _drift.Record(model, 0.5);
        }
        Assert.Equal(2, CountImages(model.Category));
        _metrics.Remove(model.Category);
    }

    private int CountImages(string category) =>
        Assert.Single(_drift.Measure(), each => each.Category == category).Drift.Images;

    /// <summary>A snapshot under a category's name that no other test has.</summary>
    private async Task<CategoryModel> SnapshotAsync()
    {
        var category = await shared.FittedAsync();
        var registry = shared.Service.Get<ModelRegistry>();
        var acquired = await registry.AcquireAsync(category.Name, null, CancellationToken.None);
        Assert.True(acquired.Succeeded(out var model, out _));
        return model with { Category = shared.NewName() };
    }
}
