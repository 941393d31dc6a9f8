using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>What the client does when the service or the network does not.</summary>
public sealed class RetryTests
{
    private const string Problem = "application/problem+json",
        Json = "application/json",
        Score = """{"score": 1.25, "decision": "normal"}""",
        Busy = """{"code": "queue_full", "detail": "Too many images are in progress.", "status": 503}""",
        Limited = """{"code": "rate_limited", "detail": "Too many requests.", "status": 429}""";

    [Fact]
    public async Task A_refusal_that_says_when_to_come_back_is_waited_for()
    {
        await using var server = await StubServer.StartAsync(
            (429, Limited, Problem, "1"),
            (503, Busy, Problem, "1"),
            (200, Score, Json, null)
        );
        using var client = new PadimClient(server.Address);
        var score = await client.ScoreAsync("flange", Parts.Good(1));
        Assert.Equal(1.25, score.Score);
        Assert.Equal(3, server.Requests.Count);
        Assert.Single(server.Requests.Select(request => request.Headers["X-Inspection-Id"]).Distinct());
    }

    [Fact]
    public async Task A_refusal_that_asks_for_too_long_is_an_exception_that_says_so()
    {
        await using var server = await StubServer.StartAsync((429, Limited, Problem, "3600"));
        using var client = new PadimClient(server.Address);
        var problem = await Assert.ThrowsAsync<PadimException>(() => client.ScoreAsync("flange", Parts.Good(1)));
        Assert.Equal("rate_limited", problem.Code);
        Assert.Equal(TimeSpan.FromHours(1), problem.RetryAfter);
        Assert.True(problem.IsTransient);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_problem_without_Retry_After_is_not_sent_again()
    {
        await using var server = await StubServer.StartAsync(
            (503, """{"code": "model_corrupt", "detail": "The file is damaged."}""", Problem, null)
        );
        using var client = new PadimClient(server.Address);
        var problem = await Assert.ThrowsAsync<PadimException>(() => client.ScoreAsync("flange", Parts.Good(1)));
        Assert.Equal("model_corrupt", problem.Code);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_body_that_cannot_be_sent_again_is_sent_once()
    {
        await using var server = await StubServer.StartAsync((503, Busy, Problem, "1"));
        using var client = new PadimClient(server.Address);
        await using var pipe = new UnseekableStream(Parts.Good(1));
        var problem = await Assert.ThrowsAsync<PadimException>(() => client.ScoreAsync("flange", pipe));
        Assert.Equal("queue_full", problem.Code);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_page_of_a_proxy_is_no_answer_of_the_service()
    {
        await using var server = await StubServer.StartAsync(
            (502, "<html>Bad gateway</html>", "text/html", null),
            (200, Score, Json, null)
        );
        using var client = new PadimClient(server.Address);
        Assert.Equal(1.25, (await client.ScoreAsync("flange", Parts.Good(1))).Score);

        await using var portal = await StubServer.StartAsync((200, "<html>Sign in</html>", "text/html", null));
        using var lost = new PadimClient(portal.Address);
        var problem = await Assert.ThrowsAsync<PadimException>(() => lost.Categories.GetAsync("flange"));
        Assert.Equal(PadimErrorCodes.UnexpectedAnswer, problem.Code);

        await using var blocked = await StubServer.StartAsync((403, "<html>Blocked</html>", "text/html", null));
        using var refused = new PadimClient(blocked.Address);
        problem = await Assert.ThrowsAsync<PadimException>(() => refused.Categories.GetAsync("flange"));
        Assert.Equal((PadimErrorCodes.UnexpectedAnswer, 403), (problem.Code, problem.Status));
    }

    [Fact]
    public async Task Any_problem_is_read_as_far_as_it_goes()
    {
        foreach (var body in new[] { "", "[]", "{", "{\"code\": 7}", "null" })
        {
            await using var server = await StubServer.StartAsync((400, body, Problem, null));
            using var client = new PadimClient(server.Address);
            var problem = await Assert.ThrowsAsync<PadimException>(() => client.Categories.GetAsync("flange"));
            Assert.Equal((PadimErrorCodes.UnexpectedAnswer, 400), (problem.Code, problem.Status));
        }
        await using var odd = await StubServer.StartAsync(
            (400, """{"code": "odd", "errors": {"a": 1}}""", Problem, null)
        );
        using var last = new PadimClient(odd.Address);
        Assert.Equal("odd", (await Assert.ThrowsAsync<PadimException>(() => last.Categories.GetAsync("flange"))).Code);
    }

    [Fact]
    public async Task An_answer_that_is_cut_short_is_asked_for_again()
    {
        await using var server = await StubServer.StartAsync(
            async (context, number) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.ContentType = Json;
                context.Response.ContentLength = Score.Length;
                await context.Response.WriteAsync(number == 0 ? Score[..5] : Score);
                await context.Response.Body.FlushAsync();
                if (number == 0)
                    context.Abort();
            }
        );
        using var client = new PadimClient(server.Address);
        Assert.Equal(1.25, (await client.ScoreAsync("flange", Parts.Good(1))).Score);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_connection_that_is_reset_within_the_upload_is_tried_again()
    {
        await using var server = await StubServer.StartAsync(
            async (context, number) =>
            {
                if (number == 0)
                {
                    await context.Request.Body.ReadExactlyAsync(new byte[1000]);
                    context.Abort();
                    return;
                }
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.ContentType = Json;
                await context.Response.WriteAsync(Score);
            }
        );
        using var client = new PadimClient(server.Address);
        Assert.Equal(1.25, (await client.ScoreAsync("flange", new byte[4 << 20])).Score);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task What_may_have_been_done_is_not_done_twice()
    {
        await using var server = await StubServer.StartAsync(
            (context, _) =>
            {
                context.Abort();
                return Task.CompletedTask;
            }
        );
        using var client = new PadimClient(server.Address);
        var problem = await Assert.ThrowsAsync<PadimException>(() =>
            client.Datasets.DeleteAsync("flange", new DeleteImagesRequest())
        );
        Assert.Equal(PadimErrorCodes.Unreachable, problem.Code);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_an_exception_with_a_code()
    {
        using var client = new PadimClient(
            new PadimClientOptions { Address = new Uri("http://127.0.0.1:9"), MaxRetries = 1 }
        );
        var problem = await Assert.ThrowsAsync<PadimException>(() => client.Categories.GetAsync("flange"));
        Assert.Equal(PadimErrorCodes.Unreachable, problem.Code);
        Assert.Null(problem.Status);
        Assert.IsType<HttpRequestException>(problem.InnerException);
    }

    [Fact]
    public async Task Every_try_carries_what_is_left_of_the_deadline()
    {
        await using var server = await StubServer.StartAsync(
            (503, Busy, Problem, "1"),
            (504, """{"code": "deadline_passed", "detail": "Too late."}""", Problem, null)
        );
        using var client = new PadimClient(server.Address);
        var options = new ScoreOptions { Deadline = TimeSpan.FromSeconds(20) };
        var problem = await Assert.ThrowsAsync<PadimException>(() =>
            client.ScoreAsync("flange", Parts.Good(1), options)
        );
        Assert.Equal(PadimErrorCodes.DeadlinePassed, problem.Code);
        var carried = server.Requests.Select(request => int.Parse(request.Headers["X-Deadline-Ms"])).ToArray();
        Assert.Equal(2, carried.Length);
        Assert.InRange(carried[0], 1, 20_000);
        Assert.InRange(carried[1], 1, carried[0] - 900);
    }

    [Fact]
    public async Task A_deadline_that_a_wait_would_pass_ends_at_once()
    {
        await using var server = await StubServer.StartAsync((503, Busy, Problem, "20"));
        using var client = new PadimClient(server.Address);
        var options = new ScoreOptions { Deadline = TimeSpan.FromSeconds(15) };
        var problem = await Assert.ThrowsAsync<PadimException>(() =>
            client.ScoreAsync("flange", Parts.Good(1), options)
        );
        Assert.Equal("queue_full", problem.Code);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_service_that_stays_silent_is_not_waited_for_beyond_the_deadline()
    {
        await using var server = await StubServer.StartAsync(
            (context, _) => Task.Delay(Timeout.Infinite, context.RequestAborted)
        );
        using var client = new PadimClient(server.Address);
        var problem = await Assert.ThrowsAsync<PadimException>(() =>
            client.ScoreAsync("flange", Parts.Good(1), new ScoreOptions { Deadline = TimeSpan.FromMilliseconds(100) })
        );
        Assert.Equal(PadimErrorCodes.DeadlinePassed, problem.Code);

        using var hasty = new PadimClient(
            new PadimClientOptions { Address = server.Address, Timeout = TimeSpan.FromMilliseconds(100) }
        );
        problem = await Assert.ThrowsAsync<PadimException>(() => hasty.Categories.GetAsync("flange"));
        Assert.Equal(PadimErrorCodes.TimedOut, problem.Code);

        using var cancelled = new CancellationTokenSource();
        var waiting = client.Categories.GetAsync("flange", cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_broken_service_is_left_alone_for_a_while()
    {
        await using var server = await StubServer.StartAsync((502, "down", "text/plain", null));
        using var client = new PadimClient(new PadimClientOptions { Address = server.Address, MaxRetries = 0 });
        var codes = new List<string>();
        for (var i = 0; i < 25; i++)
            codes.Add((await Assert.ThrowsAsync<PadimException>(() => client.Categories.GetAsync("a"))).Code);
        Assert.Equal(PadimErrorCodes.CircuitOpen, codes[^1]);
        Assert.True(server.Requests.Count < 25);
    }

    [Fact]
    public async Task A_client_of_the_container_has_the_same_manners()
    {
        await using var server = await StubServer.StartAsync((503, Busy, Problem, "1"), (200, Score, Json, null));
        var services = new ServiceCollection();
        services
            .AddPadimClient(options =>
            {
                options.Address = new Uri(server.Address, "/factory/padim");
                options.Key = "secret";
            })
            .AddHttpMessageHandler(() => new StampHandler());
        services.AddPadimClient("line-2", options => options.Address = server.Address);
        await using var provider = services.BuildServiceProvider();

        var client = provider.GetRequiredService<PadimClient>();
        var options = new ScoreOptions { PartId = "Prüfling 7", Deadline = TimeSpan.FromMinutes(1) };
        Assert.Equal(1.25, (await client.ScoreAsync("flange", Parts.Good(1), options)).Score);

        Assert.Equal(2, server.Requests.Count);
        var last = server.Requests.Last();
        Assert.Equal("POST /factory/padim/v1/categories/flange/score", last.Line);
        Assert.Equal("Bearer secret", last.Headers["Authorization"]);
        Assert.Equal("Pr?fling 7", last.Headers["X-Part-Id"]);
        Assert.Equal("yes", last.Headers["X-Stamp"]);
        Assert.StartsWith("PaDiM.Client/", last.Headers["User-Agent"], StringComparison.Ordinal);
        await provider.GetRequiredKeyedService<PadimClient>("line-2").Categories.GetAsync("flange");
        Assert.Equal("GET /v1/categories/flange", server.Requests.Last().Line);
    }

    [Fact]
    public void Settings_out_of_bounds_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new PadimClient(new Uri("/v1", UriKind.Relative)));
        Assert.Throws<ArgumentException>(() => new PadimClient(new Uri("ftp://factory")));
        Assert.Throws<ArgumentException>(() => new PadimClient(new PadimClientOptions()));
        using var client = new PadimClient(new Uri("http://localhost"));
        Assert.Throws<ArgumentException>(() =>
        {
            _ = client.Categories.GetAsync("..");
        });
        Assert.Throws<ArgumentException>(() =>
        {
            _ = client.Categories.GetAsync("");
        });
    }

    private sealed class StampHandler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            request.Headers.Remove("X-Stamp");
            request.Headers.Add("X-Stamp", "yes");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
