using System.Text.Json.Nodes;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>SIGSTOP for a process in the midst of a fit until another has taken its job, then SIGCONT.</summary>
public sealed class R09_StoppedFitter
{
    /// <summary>Enough for a fit that takes seconds, so that it is stopped in its midst.</summary>
    private const int Images = 60;

    [Fact]
    public async Task A_fitter_that_wakes_up_after_its_lease_publishes_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGSTOP.");
        using var data = new TempDirectory();
        // A round in which the fit was over before it could be stopped does not count.
        var rounds = TrialLength.Of(1, 20);
        var counted = 0;
        for (var round = 1; counted < rounds; round++)
        {
            Assert.True(round <= 3 * rounds, $"{counted} of {round} fits could be stopped");
            await using var zombie = await ServiceProcess.StartAsync(data.Path, ("JobLeaseSeconds", 3), ("Threads", 1));
            var category = new CategoryClient(zombie.Http, $"stopped-{round}");
            await category.CreateAsync(new { });
            await category.UploadPartsAsync(Images * round, Images - 1);
            var job = await category.StartFitAsync();
            JsonNode? seen = null;
            await Eventually.TrueAsync(
                async () => (seen = await zombie.Http.GetJsonAsync($"/v1/jobs/{job}")).Text("state") != "queued",
                () => $"{seen}"
            );
            await zombie.SignalAsync("STOP");

            await using var next = await RunningService.StartAsync(data.Path, ("JobLeaseSeconds", 3));
            var ended = await next.Http.FinishedAsync(job);
            Assert.Equal("succeeded", ended.Text("state"));
            if (ended["attempts"]!.GetValue<int>() == 1)
            {
                await zombie.KillAsync();
                continue;
            }
            Assert.Equal(2, ended["attempts"]!.GetValue<int>());
            counted++;
            var score = (await next.Category(category.Name).ScoreAsync(Parts.Bad(1))).Number("score");

            await zombie.SignalAsync("CONT");
            // It finds its lease lost at the next heartbeat, and its own next fit shows that it is past that.
            await category.UploadPartsAsync(Images * round + Images - 1, 1);
            await category.FitAsync(new { activate = false });
            Assert.Equal(
                [2, 1],
                (await next.Http.GetJsonAsync($"{category.Url}/models"))
                    .Items()
                    .Select(model => model["version"]!.GetValue<int>())
            );
            Assert.Equal("succeeded", (await next.Http.GetJsonAsync($"/v1/jobs/{job}")).Text("state"));
            var scored = await category.ScoreAsync(Parts.Bad(1));
            Assert.Equal((1, score), (scored.Version(), scored.Number("score")));
            Assert.Equal(0, await zombie.TerminateAsync());
            await Trial.IsWholeAsync(next);
        }
        Trial.Tell($"{counted} fitters stopped and woken, none of them published");
    }
}
