using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>Clients that are slow on purpose: they are cut off, and hold up nobody.</summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class S07_SlowClients
{
    /// <summary>They are cut off after 8 s or less; the rest is for a machine that is busy.</summary>
    private static readonly TimeSpan CutOff = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Slow_headers_slow_bodies_and_slow_readers_are_cut_off_while_scoring_goes_on()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = await FittedAsync(service);
        var address = service.Http.BaseAddress!;
        var large = Parts.Plain(3000, 3000);
        var id = (await (await category.UploadRawAsync(large, "image/bmp")).JsonAsync(200))
            .Items("accepted")
            .Single()
            .Text("id");

        using var headers = await RawConnection.OpenAsync(address);
        using var body = await RawConnection.OpenAsync(address);
        using var chunks = await RawConnection.OpenAsync(address);
        using var reader = await RawConnection.OpenAsync(address, receiveBuffer: 4096);
        await headers.SendAsync($"POST {category.Url}/score HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        await body.SendAsync(
            $"POST {category.Url}/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
                + "Content-Length: 1000000\r\n\r\n"
        );
        await chunks.SendAsync(
            $"POST {category.Url}/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nffff\r\n"
        );
        await reader.SendAsync($"GET {category.Url}/images/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        var slow = new Dictionary<string, Task<(TimeSpan After, string Answer)>>
        {
            ["headers"] = headers.DripAsync(),
            ["body"] = body.DripAsync(),
            ["chunk"] = chunks.DripAsync(),
        };
        var times = await category.TimesUntilAsync(Task.WhenAll(slow.Values));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{times.Count} scores meanwhile, slowest {times.Max().TotalMilliseconds:f0} ms"
        );
        foreach (var (what, cut) in slow)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"slow {what} cut off after {(await cut).After.TotalSeconds:f1} s"
            );
            Assert.InRange((await cut).After, TimeSpan.Zero, CutOff);
            // Headers that are no request yet are cut off by the server itself, without a problem.
            Assert.True(
                (await cut).Answer.Contains(" 408 ", StringComparison.Ordinal)
                    && (what == "headers" || (await cut).Answer.Contains("body_too_slow", StringComparison.Ordinal)),
                $"{what}: {(await cut).Answer}"
            );
        }
        if (!TrialLength.Full)
            return;
        // The reader has taken nothing for all that time: what the system had already taken off the wire is all it
        // gets.
        await Task.Delay(TimeSpan.FromMinutes(8));
        Assert.InRange((await reader.ReadToEndAsync()).Length, 0, large.Length - 1);
    }

    [Fact]
    public async Task Idle_connections_and_followers_of_jobs_hold_up_no_scores()
    {
        using var data = new TempDirectory();
        var followers = TrialLength.Of(50, 1000);
        await using (var fitting = await RunningService.StartAsync(data.Path))
            await FittedAsync(fitting);
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("JobWorkers", 0),
            ("MaxEventStreams", followers)
        );
        var category = service.Category("part");
        var alone = await category.TimesAsync(50);
        var job = await category.StartFitAsync();
        var connections = new List<RawConnection>();
        try
        {
            for (var i = 0; i < TrialLength.Of(500, 5000); i++)
                connections.Add(await RawConnection.OpenAsync(service.Http.BaseAddress!));
            for (var i = 0; i < followers; i++)
            {
                await connections[i].SendAsync($"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
                Assert.Contains(
                    "event: job",
                    await connections[i].ReadUntilAsync("event: job"),
                    StringComparison.Ordinal
                );
            }
            using var refused = await service.Http.GetAsync($"/v1/jobs/{job}/events");
            await refused.ProblemAsync(503, "queue_full");
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
            var beside = await category.TimesAsync(50);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"median score alone {alone.Median():f1} ms, beside {connections.Count} connections of which "
                    + $"{followers} follow a job {beside.Median():f1} ms"
            );
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
        // Those who leave give up their places.
        await Eventually.TrueAsync(
            async () =>
            {
                using var follower = await service.Http.GetAsync(
                    $"/v1/jobs/{job}/events",
                    HttpCompletionOption.ResponseHeadersRead
                );
                return follower.IsSuccessStatusCode;
            },
            () => "Nobody can follow the job any more."
        );
    }

    [Fact]
    public async Task One_connection_too_many_is_closed_and_the_others_go_on()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("MaxConnections", 4));
        await service.Http.GetJsonAsync("/health/live");
        var connections = new List<RawConnection>();
        for (var i = 0; i < 4; i++)
            connections.Add(await RawConnection.OpenAsync(service.Http.BaseAddress!));
        Assert.Equal("", await connections[^1].ReadToEndAsync());
        await service.Http.GetJsonAsync("/health/live");
        connections.ForEach(connection => connection.Dispose());
    }

    private static async Task<CategoryClient> FittedAsync(RunningService service)
    {
        var category = service.Category("part");
        await category.CreateFittedAsync(3);
        return category;
    }
}
