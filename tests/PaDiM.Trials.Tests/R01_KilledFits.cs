using System.Diagnostics;
using System.Text.Json.Nodes;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>SIGKILL at a random moment of a fit, then a new process on the same data.</summary>
public sealed class R01_KilledFits
{
    private static readonly (string, object)[] Options = [("JobLeaseSeconds", 3), ("Threads", 1)];
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    [Fact]
    public async Task Every_job_is_resumed_and_publishes_once_while_the_old_version_scores()
    {
        using var data = new TempDirectory();
        var random = new Random(1);
        var rounds = TrialLength.Of(3, 200);
        var interrupted = 0;
        var slowest = TimeSpan.Zero;
        var service = await ServiceProcess.StartAsync(data.Path, Options);
        try
        {
            var category = new CategoryClient(service.Http, "killed");
            await category.CreateAsync(new { imageSize = 128, reduction = new { dimensions = 32 } });
            await category.UploadPartsAsync(0, 16);
            var began = Stopwatch.GetTimestamp();
            await category.FitAsync();
            var typical = Stopwatch.GetElapsedTime(began);
            var scores = new Dictionary<int, double>
            {
                [1] = (await category.ScoreAsync(Parts.Bad(1))).Number("score"),
            };
            for (var round = 1; round <= rounds; round++)
            {
                // Images that are still to be embedded, so that there is something to lose.
                await category.UploadPartsAsync(1000 + 4 * round, 4);
                var job = await category.StartFitAsync(new { incremental = round % 2 == 0 });
                await Task.Delay(typical * random.NextDouble());
                await service.KillAsync();
                await service.DisposeAsync();

                service = await ServiceProcess.StartAsync(data.Path, Options);
                category = new CategoryClient(service.Http, "killed");
                var restarted = Stopwatch.GetTimestamp();
                JsonNode? state = null;
                while (state?.Text("state") is not ("succeeded" or "failed" or "cancelled"))
                {
                    // Scores go before fits: without a pause the fit would hardly come to its turn.
                    await Task.Delay(Pause);
                    var scored = await category.ScoreAsync(Parts.Bad(1));
                    if (scores.TryGetValue(scored.Version(), out var known))
                        Assert.Equal(known, scored.Number("score"));
                    else
                        Assert.Equal(round + 1, scored.Version());
                    Assert.False(scored["fallback"]!.GetValue<bool>());
                    state = await service.Http.GetJsonAsync($"/v1/jobs/{job}");
                    Assert.True(Stopwatch.GetElapsedTime(restarted) < TimeSpan.FromMinutes(2), $"{state}");
                }
                Assert.True(state.Text("state") == "succeeded", $"{state}");
                Assert.Equal(round + 1, state.Version());
                if (state["attempts"]!.GetValue<int>() > 1)
                    interrupted++;
                if (Stopwatch.GetElapsedTime(restarted) is var took && took > slowest)
                    slowest = took;
                scores[round + 1] = (await category.ScoreAsync(Parts.Bad(1))).Number("score");
                var versions = (await service.Http.GetJsonAsync($"{category.Url}/models?limit=1000"))
                    .Items()
                    .Select(model => model["version"]!.GetValue<int>());
                Assert.Equal(Enumerable.Range(1, round + 1).Reverse(), versions);
                // A refit that starts with a handful of images keeps each round as long as the first.
                typical = TimeSpan.FromTicks(Math.Max(typical.Ticks, took.Ticks / 4));
            }
        }
        finally
        {
            await service.DisposeAsync();
        }
        await using var after = await RunningService.StartAsync(data.Path);
        await Trial.IsWholeAsync(after);
        Trial.Tell(
            $"{rounds} kills, {interrupted} of them in a running fit; the slowest from the restart to the published "
                + $"version {slowest.TotalSeconds:f1} s"
        );
    }
}
