using System.Text.Json.Nodes;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What a fit is said to need before it starts, and what becomes of one that cannot be.</summary>
public sealed class FitEstimateTests(SharedService shared)
{
    /// <summary>
    /// Of one image; each test has parts of its own, since embeddings are kept for all categories together.
    /// </summary>
    private const long EmbeddingBytes = 4L * 16 * 16 * 16 + 3L * 64 * 64;

    [Fact]
    public async Task A_fit_s_estimate_stays_with_its_job_and_knows_the_pace_once_there_was_one()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(7000, 6);
        var first = await StartAsync(category);
        Assert.Equal(8L * 256 * (16 + 136), Bytes(first, "statisticsBytes"));
        Assert.True(Bytes(first, "memoryBytes") > Bytes(first, "statisticsBytes") + Bytes(first, "modelBytes"));
        Assert.Equal(
            Bytes(first, "statisticsBytes") + Bytes(first, "modelBytes") + 6 * EmbeddingBytes,
            Bytes(first, "diskBytes")
        );
        var done = await shared.Http.FinishedAsync(first.Text("id"));
        Assert.Equal("succeeded", done.Text("state"));
        Assert.Equal(first["estimate"]!.ToJsonString(), done["estimate"]!.ToJsonString());

        // Other images, for which there is a pace now.
        await category.UploadPartsAsync(7006, 4);
        var second = await StartAsync(category);
        Assert.InRange(second["estimate"]!["seconds"]!.GetValue<double>(), 1e-6, 600);
    }

    [Fact]
    public async Task Embeddings_that_are_kept_take_no_more_room()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(8000, 6);
        await category.FitAsync();
        await category.UploadPartsAsync(8006, 1);
        var refit = await StartAsync(category);
        Assert.Equal(
            Bytes(refit, "statisticsBytes") + Bytes(refit, "modelBytes") + EmbeddingBytes,
            Bytes(refit, "diskBytes")
        );
    }

    [Fact]
    public async Task A_fit_that_memory_does_not_hold_is_refused_when_it_is_asked_for_and_when_it_begins()
    {
        using var data = new TempDirectory();
        string queued;
        await using (var roomy = await RunningService.StartAsync(data.Path, ("JobWorkers", 0)))
        {
            var category = roomy.Category("large");
            await category.CreateAsync(new { imageSize = 256, reduction = new { dimensions = 200 } });
            await category.UploadPartsAsync(0, 2);
            queued = await category.StartFitAsync();
        }
        // 4096 positions of 200 dimensions take 0.7 GB of statistics.
        await using var narrow = await ServiceProcess.StartAsync(data.Path, heapLimit: 512 << 20);
        var job = await narrow.Http.FinishedAsync(queued);
        Assert.Equal("failed", job.Text("state"));
        Assert.Equal("fit_too_large", job["error"]!.Text("code"));
        var problem = await (await narrow.Http.PostAsync("/v1/categories/large/fits", null)).ProblemAsync(
            422,
            "fit_too_large"
        );
        Assert.Contains(
            "64 x 64 positions and 200 dimensions requires",
            problem.Text("detail"),
            StringComparison.Ordinal
        );
    }

    private static async Task<JsonNode> StartAsync(CategoryClient category) =>
        await (await category.Http.PostAsync($"{category.Url}/fits", null)).JsonAsync(202);

    private static long Bytes(JsonNode job, string what) => job["estimate"]![what]!.GetValue<long>();
}
