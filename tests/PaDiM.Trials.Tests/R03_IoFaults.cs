using System.Net.Http.Json;
using PaDiM.Service.TestSupport;
using PaDiM.Trials.Faults;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// The n-th write, fsync, rename or change of length fails, for n = 1, 2, … until an operation comes to its end without
/// reaching the n-th.
/// </summary>
public sealed class R03_IoFaults
{
    private const int InputOutput = 5,
        NoSpace = 28;
    private int _seeds = 5000;

    [Theory]
    [InlineData(InputOutput)]
    [InlineData(NoSpace)]
    public async Task A_request_whose_n_th_call_fails_is_answered_with_a_problem_and_the_next_succeeds(int error)
    {
        await using var faults = await IoFaults.StartAsync(("JobWorkers", 0));
        var category = new CategoryClient(faults.Service.Http, "part");
        await category.CreateAsync();
        var calls = 0;
        var refused = 0;
        foreach (
            var send in new Func<Task<HttpResponseMessage>>[]
            {
                () => category.UploadRawAsync(Parts.Good(_seeds++), "image/bmp"),
                () =>
                    category.Http.PutAsJsonAsync(
                        category.Url,
                        new { imageSize = 64, falseRejectRate = 0.001 + _seeds++ / 1e6 }
                    ),
                () =>
                    category.Http.PutAsync(
                        $"{category.Url}/ignore-mask",
                        CategoryClient.Raw(Parts.Square(40, 12, 8 + _seeds++ % 40), "image/bmp")
                    ),
            }
        )
        {
            for (var n = 1; ; n += TrialLength.Of(2, 1))
            {
                faults.Arm(n, error);
                using var answer = await send();
                var hit = faults.HasFailed;
                faults.Arm(0);
                if (!answer.IsSuccessStatusCode)
                {
                    var problem = await answer.AnyProblemAsync();
                    Assert.True((int)answer.StatusCode is 500 or 503 or 507, $"{n}: {problem}");
                    Assert.Contains(problem.Text("code"), CodesOf(error));
                    refused++;
                }
                if (!hit)
                    break;
                calls++;
                Assert.Equal("ok", Trial.IntegrityOf(faults.Data));
                using var next = await send();
                Assert.True(next.IsSuccessStatusCode, $"After {n}: {await next.Content.ReadAsStringAsync()}");
            }
        }
        Trial.Tell($"error {error}: {calls} failing calls, {refused} requests refused");
        await faults.Service.KillAsync();
        await using var after = await RunningService.StartAsync(faults.Data, ("JobWorkers", 0));
        await Trial.IsWholeAsync(after);
    }

    [Theory]
    [InlineData(InputOutput)]
    [InlineData(NoSpace)]
    public async Task A_fit_whose_n_th_call_fails_ends_and_the_next_succeeds(int error)
    {
        await using var faults = await IoFaults.StartAsync(("JobLeaseSeconds", 3), ("Threads", 1));
        var category = new CategoryClient(faults.Service.Http, "part");
        await category.CreateAsync();
        await category.UploadPartsAsync(0, 4);
        var calls = 0;
        var failed = 0;
        for (var n = 1; ; n += TrialLength.Of(16, 1))
        {
            // Something to embed.
            await category.UploadPartsAsync(_seeds++, 1);
            faults.Arm(n, error);
            using var started = await category.Http.PostAsync($"{category.Url}/fits", null);
            if (started.IsSuccessStatusCode)
            {
                var job = await category.Http.FinishedAsync((await started.JsonAsync(202)).Text("id"));
                if (job.Text("state") != "succeeded")
                {
                    failed++;
                    Assert.Contains(job["error"]!.Text("code"), CodesOf(error));
                }
            }
            else
                Assert.True((int)started.StatusCode is 500 or 507, $"{await started.AnyProblemAsync()}");
            var hit = faults.HasFailed;
            faults.Arm(0);
            if (!hit)
                break;
            calls++;
            Assert.Equal("ok", Trial.IntegrityOf(faults.Data));
            await category.FitAsync();
            await category.ScoreAsync(Parts.Good(1));
        }
        Trial.Tell($"error {error}: {calls} failing calls, {failed} fits failed");
        await faults.Service.KillAsync();
        await using var after = await RunningService.StartAsync(faults.Data, ("JobWorkers", 0));
        await Trial.IsWholeAsync(after);
    }

    /// <summary>
    /// SQLite tells a full disk when it writes; why it could not flush or cut a file, it does not say.
    /// </summary>
    private static string[] CodesOf(int error) =>
        error == NoSpace ? ["storage_full", "internal_error"] : ["internal_error"];
}
