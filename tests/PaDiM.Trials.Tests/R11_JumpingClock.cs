using System.Text.Json.Nodes;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Two processes on the same data, one of whose clocks is set an hour forwards, and back, in the midst of fits.
/// </summary>
public sealed class R11_JumpingClock
{
    [Fact]
    public async Task No_job_is_taken_from_the_one_that_works_on_it_and_none_is_lost()
    {
        using var data = new TempDirectory();
        var wrong = new ManualTime();
        await using var right = await RunningService.StartAsync(data.Path, ("JobLeaseSeconds", 60), ("Threads", 1));
        await using var jumping = await RunningService.StartByAsync(
            wrong,
            data.Path,
            ("JobLeaseSeconds", 60),
            ("Threads", 1)
        );
        var rounds = TrialLength.Of(2, 40);
        for (var round = 0; round < rounds; round++)
        {
            // Now one of them works on it, now the other.
            var category = right.Category($"timed-{round}");
            await category.CreateAsync(new { imageSize = 128, reduction = new { dimensions = 32 } });
            await category.UploadPartsAsync(100 * round, 12);
            var job = await category.StartFitAsync();
            JsonNode? seen = null;
            await Eventually.TrueAsync(
                async () => (seen = await right.Http.GetJsonAsync($"/v1/jobs/{job}")).Text("state") != "queued",
                () => $"{seen}"
            );
            wrong.Jump(TimeSpan.FromHours(round % 2 == 0 ? 1 : -1));
            var ended = await right.Http.FinishedAsync(job);
            Assert.Equal(
                ("succeeded", 1, 1),
                (ended.Text("state"), ended["attempts"]!.GetValue<int>(), ended.Version())
            );
            await category.ScoreAsync(Parts.Good(1));
        }
        await Trial.IsWholeAsync(right);
        Trial.Tell($"{rounds} fits, each taken up once");
    }
}
