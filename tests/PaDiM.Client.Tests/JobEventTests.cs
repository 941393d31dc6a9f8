using Microsoft.AspNetCore.Http;
using PaDiM.Client.Tests.Support;

namespace PaDiM.Client.Tests;

/// <summary>Events of jobs over connections that break.</summary>
public sealed class JobEventTests
{
    private const string Running = """{"id": "j", "state": "running", "progress": 0.5}""",
        Succeeded = """{"id": "j", "state": "succeeded", "progress": 1, "modelVersion": 3}""";

    [Fact]
    public async Task A_stream_that_breaks_is_opened_again_behind_the_last_event()
    {
        // What was received but not read is lost when a connection is reset.
        var read = new TaskCompletionSource();
        await using var server = await StubServer.StartAsync(
            async (context, number) =>
            {
                context.Response.ContentType = "text/event-stream";
                if (number == 0)
                {
                    await WriteAsync(
                        context,
                        $": hello\n\nevent: other\ndata: x\n\nid: 7\nevent: job\ndata: {Running}\n\n"
                    );
                    await WriteAsync(context, "event: job\ndata: {\"id\"");
                    await read.Task;
                    context.Abort();
                }
                else
                    await WriteAsync(context, $"event: job\ndata: {Running}\n\nevent: job\ndata: {Succeeded}\n\n");
            }
        );
        using var client = new PadimClient(server.Address);
        var jobs = new List<JobResponse>();
        await foreach (var job in client.Jobs.FollowAsync("j"))
        {
            jobs.Add(job);
            read.TrySetResult();
        }
        Assert.Equal([JobState.Running, JobState.Succeeded], jobs.Select(job => job.State));
        Assert.Equal(3, jobs[^1].ModelVersion);
        Assert.Equal("7", server.Requests.Last().Headers["Last-Event-ID"]);
    }

    [Fact]
    public async Task A_slow_stream_is_followed_and_can_be_left()
    {
        var release = new TaskCompletionSource();
        await using var server = await StubServer.StartAsync(
            async (context, _) =>
            {
                context.Response.ContentType = "text/event-stream";
                foreach (var letter in $"event: job\r\ndata: {Running}\r\n\r\n")
                    await WriteAsync(context, letter.ToString());
                await release.Task;
            }
        );
        using var client = new PadimClient(server.Address);
        await foreach (var job in client.Jobs.FollowAsync("j"))
        {
            Assert.Equal(0.5, job.Progress);
            break;
        }
        using var cancelled = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.Jobs.FollowAsync("j", cancelled.Token))
                await cancelled.CancelAsync();
        });
        release.SetResult();
    }

    [Fact]
    public async Task A_job_that_does_not_exist_is_not_waited_for()
    {
        await using var server = await StubServer.StartAsync(
            (404, """{"code": "job_not_found", "detail": "There is no such job."}""", "application/problem+json", null)
        );
        using var client = new PadimClient(server.Address);
        var problem = await Assert.ThrowsAsync<PadimException>(() => client.Jobs.WaitAsync("j"));
        Assert.Equal("job_not_found", problem.Code);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_failed_job_and_a_cancelled_one_are_exceptions()
    {
        foreach (
            var (state, code) in new[]
            {
                ("failed", "statistics_degenerate"),
                ("cancelled", PadimErrorCodes.JobCancelled),
            }
        )
        {
            const string error = """{"code": "statistics_degenerate", "detail": "x"}""";
            var data = $$"""{"id": "j", "state": "{{state}}", "error": {{error}} }""";
            await using var server = await StubServer.StartAsync(
                (200, $"event: job\ndata: {data}\n\n", "text/event-stream", null)
            );
            using var client = new PadimClient(server.Address);
            var problem = await Assert.ThrowsAsync<PadimException>(() => client.Jobs.WaitAsync("j"));
            Assert.Equal(code, problem.Code);
        }
    }

    private static async Task WriteAsync(HttpContext context, string text)
    {
        await context.Response.WriteAsync(text);
        await context.Response.Body.FlushAsync();
    }
}
