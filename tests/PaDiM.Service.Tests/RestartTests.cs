using System.Text.Json.Nodes;
using PaDiM.Service.Data;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Faults of the process: it is killed for good.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task A_fit_survives_the_death_of_its_process_and_publishes_once()
    {
        using var data = new TempDirectory();
        string job;
        await using (var doomed = await ServiceProcess.StartAsync(data.Path, ("JobLeaseSeconds", 3), ("Threads", 1)))
        {
            var category = new CategoryClient(doomed.Http, "killed");
            await category.CreateAsync(new { imageSize = 256, reduction = new { dimensions = 64 } });
            await category.UploadPartsAsync(2000, 40);
            job = await category.StartFitAsync();
            JsonNode? seen = null;
            await Eventually.TrueAsync(
                async () => (seen = await doomed.Http.GetJsonAsync($"/v1/jobs/{job}")).Number("progress") > 0.1,
                () => $"{seen?.ToJsonString()}"
            );
            Assert.Equal("running", seen!.Text("state"));
            await doomed.KillAsync();
        }

        await using var next = await RunningService.StartAsync(data.Path, ("JobLeaseSeconds", 3));
        var revived = next.Category("killed");
        await (await revived.SendScoreAsync(Parts.Good(1))).ProblemAsync(409, "model_not_ready");
        var ended = await next.Http.FinishedAsync(job);
        Assert.Equal(
            ("succeeded", 2, 1),
            (ended.Text("state"), ended["attempts"]!.GetValue<int>(), ended["modelVersion"]!.GetValue<int>())
        );
        Assert.Equal(
            1,
            (await next.Http.GetJsonAsync($"{revived.Url}/models")).Items().Single()["version"]!.GetValue<int>()
        );
        await revived.ScoreAsync(Parts.Good(1));

        await SweepTests.SweepEverythingAsync(next);
        var images = next.Get<DataDirectory>().Images;
        var models = next.Get<DataDirectory>().Models;
        Assert.Equal(40, Directory.GetFiles(images, "*", SearchOption.AllDirectories).Length);
        Assert.Equal(
            [$"{job}-2.safetensors", $"{job}-2.statistics.safetensors"],
            Directory.GetFiles(models, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order()
        );
    }

    [Fact]
    public async Task What_was_answered_before_a_kill_is_there_after_it()
    {
        using var data = new TempDirectory();
        string[] images;
        double score;
        await using (var doomed = await ServiceProcess.StartAsync(data.Path))
        {
            var category = new CategoryClient(doomed.Http, "kept");
            await category.CreateAsync();
            images = await category.UploadPartsAsync(0, 3);
            await category.FitAsync();
            await (await category.PatchThresholdAsync(new { threshold = 7.5 })).JsonAsync(200);
            score = (await category.ScoreAsync(Parts.Good(9))).Number("score");
            await doomed.KillAsync();
        }
        await using var next = await RunningService.StartAsync(data.Path);
        var kept = next.Category("kept");
        Assert.Equal(
            images,
            (await next.Http.GetJsonAsync($"{kept.Url}/images")).Items().Select(image => image.Text("id"))
        );
        var scored = await kept.ScoreAsync(Parts.Good(9));
        Assert.Equal((score, 7.5), (scored.Number("score"), scored.Number("threshold")));
    }

    [Fact]
    public async Task A_terminated_process_ends_well()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        Assert.Equal("ok", (await service.Http.GetJsonAsync("/health/ready")).Text("status"));
        Assert.Equal(0, await service.TerminateAsync());
    }
}
