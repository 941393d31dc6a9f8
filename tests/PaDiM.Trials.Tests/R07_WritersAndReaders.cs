using System.Diagnostics;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>32 writers and 32 readers on SQLite, spread over two processes' worth of connections.</summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class R07_WritersAndReaders
{
    private const int Writers = 32,
        Readers = 32;

    [Fact]
    public async Task Nobody_is_told_that_the_database_is_locked()
    {
        using var data = new TempDirectory();
        await using var one = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await using var other = await ServiceProcess.StartAsync(data.Path, ("JobWorkers", 0));
        HttpClient[] replicas = [one.Http, other.Http];
        var names = Enumerable.Range(0, 4).Select(k => $"busy-{k}").ToArray();
        foreach (var name in names)
            await one.Category(name).CreateAsync();
        var until = Stopwatch.GetTimestamp() + TrialLength.Of(4, 600) * Stopwatch.Frequency;
        var requests = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, Writers + Readers)
                .Select(k => Task.Run(() => k < Writers ? WriteAsync(k) : ReadAsync(k)))
        );
        Assert.Equal("ok", Trial.IntegrityOf(data.Path));
        await Trial.IsWholeAsync(one);
        Trial.Tell($"{requests} requests, none refused");

        async Task WriteAsync(int k)
        {
            var category = new CategoryClient(replicas[k % 2], names[k % names.Length]);
            for (var n = 0; Stopwatch.GetTimestamp() < until; n++)
            {
                await ExpectAsync(category.UploadRawAsync(Parts.Good(n % 8), "image/bmp"));
                await ExpectAsync(category.PatchThresholdAsync(new { falseRejectRate = 0.01 + (k + n % 10) / 1000.0 }));
                await ExpectAsync(category.Http.PostAsync($"{category.Url}/evaluations", null));
            }
        }

        async Task ReadAsync(int k)
        {
            var url = $"/v1/categories/{names[k % names.Length]}";
            for (var n = 0; Stopwatch.GetTimestamp() < until; n++)
                await ExpectAsync(
                    replicas[k % 2]
                        .GetAsync(
                            (n % 3) switch
                            {
                                0 => url,
                                1 => $"{url}/images",
                                _ => $"{url}/threshold",
                            }
                        )
                );
        }

        async Task ExpectAsync(Task<HttpResponseMessage> sent)
        {
            using var answer = await sent;
            Interlocked.Increment(ref requests);
            if ((int)answer.StatusCode >= 500)
                Assert.Fail($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }
}
