using System.Net.Http.Json;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What replicas of each role do, and how a balancer tells them apart.</summary>
public sealed class RoleTests(SharedService shared) : IDisposable
{
    private readonly TempDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task By_default_a_replica_does_both()
    {
        Assert.Equal("both", (await shared.Http.GetJsonAsync("/v1/system")).Text("role"));
        var ready = await shared.Http.GetJsonAsync("/health/score");
        Assert.Equal(("ok", "both", "ok"), (ready.Text("status"), ready.Text("role"), ready["checks"]!.Text("role")));
    }

    /// <summary>One data directory, two replicas: what one uploads the other fits, and the first scores with it.</summary>
    [Fact]
    public async Task A_replica_that_scores_leaves_the_jobs_to_one_that_does_not_score()
    {
        await using var score = await RunningService.StartAsync(_data.Path, ("Role", "score"));
        var category = score.Category("part");
        await category.CreateAsync(
            new
            {
                imageSize = 64,
                reduction = new { dimensions = 16 },
                pinned = true,
            }
        );
        await category.UploadPartsAsync(0, 3);
        var job = await category.StartFitAsync();
        await using var fit = await RunningService.StartAsync(_data.Path, ("Role", "fit"));
        Assert.Equal("succeeded", (await score.Http.FinishedAsync(job)).Text("state"));
        await category.ScoreAsync(Parts.Good(1));

        Assert.Equal("score", (await score.Http.GetJsonAsync("/v1/system")).Text("role"));
        var system = await fit.Http.GetJsonAsync("/v1/system");
        Assert.Equal("fit", system.Text("role"));
        // Not even the pinned one: its memory belongs to the fits.
        Assert.Empty(system["modelCache"]!.Items("models"));
    }

    [Fact]
    public async Task A_replica_that_only_fits_answers_everything_but_scores()
    {
        await using var fit = await RunningService.StartAsync(_data.Path, ("Role", "fit"));
        var category = fit.Category("part");
        await category.CreateFittedAsync(3);
        foreach (
            var request in new[]
            {
                category.SendScoreAsync(Parts.Good(1)),
                fit.Http.PostAsync(
                    $"{category.Url}/score/batch",
                    CategoryClient.Form(("files", "1.bmp", Parts.Good(1)))
                ),
            }
        )
        {
            var refused = await request;
            Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
            await refused.ProblemAsync(503, "replica_does_not_score");
        }
        await (await fit.Http.PostAsync($"{category.Url}/prefetch", null)).ProblemAsync(503, "replica_does_not_score");
        await (
            await fit.Http.PostAsJsonAsync($"{category.Url}/threshold/preview", new { falseRejectRate = 0.05 })
        ).JsonAsync(200);
        await category.UploadPartsAsync(10, 1);
        Assert.Equal(200, (int)(await fit.Http.GetAsync("/swagger/v1/swagger.json")).StatusCode);

        Assert.Equal("ok", (await fit.Http.GetJsonAsync("/health/ready")).Text("status"));
        var health = await (await fit.Http.GetAsync("/health/score")).JsonAsync(503);
        Assert.Equal(("unavailable", "fit"), (health.Text("status"), health.Text("role")));
        Assert.Contains("role=\"fit\"", await fit.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_workers_a_replica_scores()
    {
        await using var service = await RunningService.StartAsync(_data.Path, ("JobWorkers", 0));
        Assert.Equal("score", (await service.Http.GetJsonAsync("/v1/system")).Text("role"));
    }

    [Theory]
    [InlineData("score", 1, "Role is score, which runs no jobs, but JobWorkers is 1.")]
    [InlineData("fit", 0, "Role is fit, which runs jobs, but JobWorkers is 0.")]
    [InlineData("both", 0, "Role is both, which runs jobs, but JobWorkers is 0.")]
    [InlineData("upload", 1, "Role")]
    [InlineData("both", 65, "JobWorkers")]
    public async Task Settings_that_contradict_each_other_are_named(string role, int workers, string named)
    {
        var (exitCode, _, error) = await ServiceCommand.RefusedAsync(
            _data.Path,
            ("Role", role),
            ("JobWorkers", workers)
        );
        Assert.Equal(1, exitCode);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }
}
