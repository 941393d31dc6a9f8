using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class LoadTests
{
    [Fact]
    public async Task A_full_queue_refuses_at_once_and_answers_every_other_request()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("QueueCapacity", 1));
        var category = service.Category("narrow");
        await category.CreateFittedAsync(2);
        var bytes = Parts.Bad(1);
        var expected = (await category.ScoreAsync(bytes)).Number("score");

        using var slow = new SlowContent(bytes);
        var holding = service.Http.PostAsync($"{category.Url}/score", slow);
        await slow.Halfway.WaitAsync(TimeSpan.FromSeconds(30));
        // Half a body holds no place: the line goes on.
        Assert.Equal(expected, (await category.ScoreAsync(bytes)).Number("score"), 1e-4 * expected);
        slow.Finish();
        Assert.Equal(expected, (await (await holding).JsonAsync(200)).Number("score"));

        var served = 0;
        var refused = 0;
        foreach (
            var response in await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => category.SendScoreAsync(bytes)))
        )
            if (response.StatusCode == HttpStatusCode.OK)
            {
                Assert.Equal(expected, (await response.JsonAsync(200)).Number("score"), 1e-4 * expected);
                served++;
            }
            else
            {
                await response.ProblemAsync(503, "queue_full");
                Assert.NotNull(response.Headers.RetryAfter?.Delta);
                refused++;
            }
        Assert.Equal(64, served + refused);
        Assert.True(served > 0);
        await category.ScoreAsync(bytes);
    }

    [Fact]
    public async Task Sixteen_writers_and_sixteen_readers_get_no_server_error()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("shared");
        await category.CreateFittedAsync(3);
        var failures = new ConcurrentBag<string>();
        var answers = 0;
        var until = Stopwatch.GetTimestamp() + 3 * Stopwatch.Frequency;
        var small = Enumerable.Range(0, 8).Select(k => Parts.Plain(8, 8, (byte)k)).ToArray();

        await Task.WhenAll([
            .. Enumerable.Range(0, 16).Select(WriteAsync),
            .. Enumerable.Range(0, 16).Select(ReadAsync),
        ]);
        Assert.Empty(failures);
        Assert.True(answers > 100, $"{answers} answers");
        Assert.Equal("ok", (await service.Http.GetJsonAsync("/health/ready")).Text("status"));

        async Task WriteAsync(int writer)
        {
            for (var k = 0; Stopwatch.GetTimestamp() < until; k++)
            {
                var own = service.Category($"own-{writer}");
                await CheckAsync(
                    await service.Http.PutAsJsonAsync(
                        own.Url,
                        new { imageSize = 64, falseRejectRate = 0.01 + 0.001 * (k % 5) }
                    )
                );
                await CheckAsync(await own.UploadRawAsync(small[k % 8], "image/bmp"));
                await CheckAsync(await category.PatchThresholdAsync(new { falseRejectRate = 0.01 + 0.01 * writer }));
                await CheckAsync(
                    await category.UploadRawAsync(small[(k + writer) % 8], "image/bmp", "?label=anomalous")
                );
                if (k % 3 == 2)
                    await CheckAsync(await service.Http.DeleteAsync(own.Url));
                if (k % 7 == 3)
                    await CheckAsync(await service.Http.PostAsync($"{category.Url}/fits", null));
            }
        }

        async Task ReadAsync(int reader)
        {
            while (Stopwatch.GetTimestamp() < until)
            {
                foreach (
                    var path in new[]
                    {
                        "/v1/categories",
                        category.Url,
                        $"{category.Url}/images",
                        $"{category.Url}/models",
                        $"{category.Url}/threshold",
                        "/v1/jobs",
                    }
                )
                    await CheckAsync(await service.Http.GetAsync(path));
                if (reader % 4 == 0)
                    await CheckAsync(await category.SendScoreAsync(Parts.Good(1)));
            }
        }

        async Task CheckAsync(HttpResponseMessage response)
        {
            Interlocked.Increment(ref answers);
            if ((int)response.StatusCode >= 500)
                failures.Add(await response.Content.ReadAsStringAsync());
            response.Dispose();
        }
    }

    /// <summary>Sends half of a body, and the rest when it is told to.</summary>
    private sealed class SlowContent : HttpContent
    {
        private readonly byte[] _bytes;
        private readonly TaskCompletionSource _halfway = new(TaskCreationOptions.RunContinuationsAsynchronously),
            _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SlowContent(byte[] bytes)
        {
            _bytes = bytes;
            Headers.ContentType = new MediaTypeHeaderValue("image/bmp");
        }

        public Task Halfway => _halfway.Task;

        public void Finish() => _finish.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(_bytes.AsMemory(0, _bytes.Length / 2));
            await stream.FlushAsync();
            _halfway.SetResult();
            await _finish.Task;
            await stream.WriteAsync(_bytes.AsMemory(_bytes.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
