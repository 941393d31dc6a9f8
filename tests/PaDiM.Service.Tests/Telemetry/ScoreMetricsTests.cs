using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;
using PaDiM.Service.Tests.Support;

namespace PaDiM.Service.Tests.Telemetry;

public sealed class ScoreMetricsTests(SharedService shared)
{
    [Fact]
    public async Task An_image_is_recorded_without_allocating()
    {
        var category = await shared.FittedAsync();
        Assert.True(
            (
                await shared.Service.Get<ModelRegistry>().AcquireAsync(category.Name, null, CancellationToken.None)
            ).Succeeded(out var model, out _)
        );
        var metrics = shared.Service.Get<ScoreMetrics>();
        var result = new RegionScore(
            category.Name,
            model.Version,
            false,
            8.5,
            10,
            0.85,
            0.4,
            Decision.Normal,
            [],
            [],
            0,
            new RegionBox(0, 0, 96, 96),
            []
        );
        var times = new Timings(0.1, 1, 5, 2, 0.1, 9);
        for (var i = 0; i < 2000; i++)
            Record();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Record();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);

        void Record()
        {
            metrics.RecordTimes(times);
            metrics.RecordScore(model, result);
        }
    }

    [Fact]
    public void Categories_beyond_the_bound_are_counted_together()
    {
        var labels = new CategoryLabels();
        for (var i = 0; i < CategoryLabels.MaxCategories; i++)
            Assert.Equal($"category-{i}", labels.GetLabel($"category-{i}"));
        Assert.Equal(CategoryLabels.Others, labels.GetLabel("one-more"));
        Assert.Equal("category-7", labels.GetLabel("category-7"));
    }
}
