using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Data;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// R19: SIGKILL while photographs of the past are scored with a candidate. The next process goes on, and counts each
/// inspection once.
/// </summary>
public sealed class R19_Lookback
{
    /// <summary>Scores of an attempt are written so many at a time.</summary>
    private const int Piece = 20;

    private const int Photographs = 15 * Piece;

    private static readonly (string, object)[] Options = [("JobLeaseSeconds", 3)];
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    private static readonly DateTime To = DateTime.UtcNow.AddDays(1);

    [Fact]
    public async Task A_lookback_that_is_killed_ends_whole()
    {
        using var data = new TempDirectory();
        await using (var first = await RunningService.StartAsync(data.Path))
        {
            var line = first.Category("line");
            await line.CreateFittedAsync(4, new { imageSize = 64, inspections = new { images = "all" } });
            for (var k = 0; k < Photographs; k++)
                await line.ScoreAsync(k % 3 == 0 ? Parts.Bad(k) : Parts.Good(k));
            await first.SettleAsync();
            await line.UploadPartsAsync(4, 2);
            await line.FitAsync(new { activate = false });
        }
        var random = new Random(19);
        var rounds = TrialLength.Of(2, 50);
        var kept = 0;
        var service = await ServiceProcess.StartAsync(data.Path, Options);
        try
        {
            var expected = await EndAsync(service, await StartAsync(service));
            var figures = expected.Figures;
            Assert.Equal(
                (Photographs, Photographs, Photographs),
                ((int)figures.Number("inspections"), (int)figures.Number("replayed"), (int)figures.Number("scored"))
            );
            Assert.InRange(figures.Number("flips"), 1, Photographs - 1);
            for (var round = 0; round < rounds; round++)
            {
                var job = await StartAsync(service);
                var scores = Path.Combine(new DataDirectory(data.Path).GetEvaluation(job), "2.scores");
                var some = Piece * random.Next(1, Photographs / Piece - 4);
                await Eventually.TrueAsync(
                    async () =>
                    {
                        await Task.Delay(Pause);
                        return Count(scores) >= some;
                    },
                    () => $"{Count(scores)} of {some} photographs"
                );
                await service.KillAsync();
                await service.DisposeAsync();
                var before = Count(scores);
                Assert.InRange(before, some, Photographs - 1);
                kept += before;

                service = await ServiceProcess.StartAsync(data.Path, Options);
                var ended = await EndAsync(service, job);
                Assert.Equal(2, ended.Attempts);
                Assert.Equal(expected.Figures.ToJsonString(), ended.Figures.ToJsonString());
                Assert.Equal(expected.Flips, ended.Flips);
                Assert.False(Directory.Exists(Path.GetDirectoryName(scores)), "Scores are left.");
            }
        }
        finally
        {
            await service.DisposeAsync();
        }
        await using var after = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await Trial.IsWholeAsync(after);
        Trial.Tell(
            $"{rounds} lookbacks killed, after {(double)kept / rounds:f0} of {Photographs} photographs on average; each ended "
                + "with its second attempt, and the same figures as without a kill"
        );
    }

    /// <summary>Counts the scores that an attempt has written.</summary>
    private static int Count(string scores)
    {
        try
        {
            using var file = new StreamReader(
                new FileStream(scores, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
            );
            return file.ReadToEnd().Split('\n').Count(line => line.EndsWith(" .", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>Asks for a lookback. All ask for the same time.</summary>
    private static async Task<string> StartAsync(ServiceProcess service)
    {
        var answer = await service.Http.PostAsJsonAsync(
            "/v1/categories/line/lookbacks",
            new { modelVersion = 2, to = To }
        );
        return (await answer.JsonAsync(202)).Text("id");
    }

    private static async Task<(int Attempts, JsonNode Figures, string[] Flips)> EndAsync(
        ServiceProcess service,
        string job
    )
    {
        var ended = await service.Http.FinishedAsync(job);
        Assert.True(ended.Text("state") == "succeeded", ended.ToJsonString());
        var lookback = await service.Http.GetJsonAsync($"/v1/lookbacks/{job}");
        var flips = await service.Http.GetJsonAsync($"/v1/lookbacks/{job}/inspections?limit=1000");
        return (
            (int)ended.Number("attempts"),
            lookback["figures"]!,
            [.. flips.Items().Select(flip => $"{flip["inspection"]!.Text("id")} {flip.Number("newScore"):r}")]
        );
    }
}
