using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Models;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class JobTests(SharedService shared)
{
    /// <summary>Long enough to be met while it runs.</summary>
    private static readonly object SlowSettings = new { imageSize = 256, reduction = new { dimensions = 64 } };

    [Fact]
    public async Task Sixty_four_starts_with_one_key_are_one_job()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        var category = service.Category("keys");
        await category.CreateAsync();
        await category.UploadPartsAsync(0, 2);

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 64).Select(_ => StartAsync(category, "one", new { activate = true }))
        );
        var bodies = await Task.WhenAll(answers.Select(async answer => (await answer.JsonAsync(202)).ToJsonString()));
        Assert.Single(bodies.Distinct());
        Assert.Single(answers.Select(answer => answer.Headers.Location?.OriginalString).Distinct());
        Assert.Single((await service.Http.GetJsonAsync("/v1/jobs?category=keys")).Items());

        await (await StartAsync(category, "one", new { activate = false })).ProblemAsync(409, "idempotency_conflict");
        await (await StartAsync(category, new string('k', 201), null)).ProblemAsync(400, "invalid_request");
        Assert.NotEqual(
            JsonNode.Parse(bodies[0])!.Text("id"),
            (await (await StartAsync(category, "two", null)).JsonAsync(202)).Text("id")
        );

        var other = service.Category("other-keys");
        await other.CreateAsync();
        await other.UploadPartsAsync(0, 2);
        Assert.NotEqual(
            JsonNode.Parse(bodies[0])!.Text("id"),
            (await (await StartAsync(other, "one", new { activate = true })).JsonAsync(202)).Text("id")
        );
    }

    [Fact]
    public async Task A_full_queue_of_jobs_says_when_to_come_again()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("JobWorkers", 0),
            ("JobQueueCapacity", 2)
        );
        var category = service.Category("full");
        await category.CreateAsync();
        await category.UploadPartsAsync(0, 2);
        var first = await category.StartFitAsync();
        await category.StartFitAsync();
        var refused = await service.Http.PostAsync($"{category.Url}/fits", null);
        Assert.NotNull(refused.Headers.RetryAfter?.Delta);
        await refused.ProblemAsync(503, "queue_full");

        Assert.Equal(
            "cancelled",
            (await (await service.Http.DeleteAsync($"/v1/jobs/{first}")).JsonAsync(202)).Text("state")
        );
        await (await service.Http.DeleteAsync($"/v1/jobs/{first}")).ProblemAsync(409, "job_finished");
        await category.StartFitAsync();
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_by_category_and_state()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        var a = service.Category("a");
        var b = service.Category("b");
        foreach (var category in new[] { a, b })
        {
            await category.CreateAsync();
            await category.UploadPartsAsync(0, 2);
        }
        var first = await a.StartFitAsync();
        var second = await b.StartFitAsync();
        var third = await a.StartFitAsync();
        await service.Http.DeleteAsync($"/v1/jobs/{third}");

        Assert.Equal([third, second, first], await ListAsync(""));
        Assert.Equal([third, first], await ListAsync("?category=a"));
        Assert.Equal([second, first], await ListAsync("?state=queued"));
        Assert.Equal([third], await ListAsync("?category=a&state=cancelled"));
        Assert.Empty(await ListAsync("?category=nobody"));
        var page = await service.Http.GetJsonAsync("/v1/jobs?limit=2");
        Assert.Equal([first], await ListAsync($"?limit=2&cursor={page.Text("nextCursor")}"));
        await (await service.Http.GetAsync("/v1/jobs?state=lost")).ProblemAsync(400, "invalid_request");
        await (await service.Http.GetAsync("/v1/jobs?state=99")).ProblemAsync(400, "invalid_request");
        await (await service.Http.GetAsync("/v1/jobs?category=../a")).ProblemAsync(400, "invalid_name");

        async Task<string[]> ListAsync(string query) =>
            [.. (await service.Http.GetJsonAsync($"/v1/jobs{query}")).Items().Select(job => job.Text("id"))];
    }

    [Fact]
    public async Task A_job_that_is_not_there_is_not_found()
    {
        foreach (var path in new[] { "", "/events" })
            await (await shared.Http.GetAsync($"/v1/jobs/nothing{path}")).ProblemAsync(404, "job_not_found");
        await (await shared.Http.DeleteAsync("/v1/jobs/nothing")).ProblemAsync(404, "job_not_found");
    }

    [Fact]
    public async Task A_fit_of_fewer_than_two_images_is_refused()
    {
        var category = await shared.NewCategoryAsync();
        Assert.Contains(
            "has 0",
            (
                await (await shared.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(409, "too_few_images")
            ).Text("detail"),
            StringComparison.Ordinal
        );
        await category.UploadPartsAsync(0, 1);
        await (await category.UploadRawAsync(Parts.Bad(1), "image/bmp", "?label=anomalous")).JsonAsync(200);
        Assert.Contains(
            "has 1",
            (
                await (await shared.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(409, "too_few_images")
            ).Text("detail"),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("""{"activate":"yes"}""")]
    [InlineData("""{"activated":true}""")]
    [InlineData("""[]""")]
    [InlineData("""{""")]
    public async Task A_fit_with_a_body_that_does_not_fit_is_refused(string body)
    {
        var category = await shared.FittedAsync();
        await (
            await shared.Http.PostAsync(
                $"{category.Url}/fits",
                new StringContent(body, System.Text.Encoding.UTF8, "application/json")
            )
        ).ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task Two_fits_of_one_category_run_one_after_the_other()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 2));
        var category = service.Category("twice");
        await category.CreateAsync();
        await category.UploadPartsAsync(0, 4);
        var first = await category.StartFitAsync(new { incremental = false });
        var second = await category.StartFitAsync(new { incremental = false });
        var one = await service.Http.FinishedAsync(first);
        var two = await service.Http.FinishedAsync(second);
        Assert.Equal(("succeeded", "succeeded"), (one.Text("state"), two.Text("state")));
        Assert.Equal((1, 2), (one["modelVersion"]!.GetValue<int>(), two["modelVersion"]!.GetValue<int>()));
        Assert.True(
            string.CompareOrdinal(one.Text("finishedAt"), two.Text("startedAt")) <= 0,
            $"{one.Text("finishedAt")} {two.Text("startedAt")}"
        );
        // The same images, settings and backbone give the same bytes.
        var models = (await service.Http.GetJsonAsync($"{category.Url}/models")).Items();
        Assert.Equal(models[0].Text("sha256"), models[1].Text("sha256"));
    }

    [Fact]
    public async Task A_running_job_stops_when_it_is_cancelled_and_publishes_nothing()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateAsync(SlowSettings);
        await category.UploadPartsAsync(1000, 40);
        var job = await category.StartFitAsync();
        await shared.Http.JobWhenAsync(job, state => state == "running");
        Assert.Equal(
            "running",
            (await (await shared.Http.DeleteAsync($"/v1/jobs/{job}")).JsonAsync(202)).Text("state")
        );
        var ended = await shared.Http.FinishedAsync(job);
        Assert.Equal("cancelled", ended.Text("state"));
        Assert.Null(ended["modelVersion"]);
        Assert.Empty((await shared.Http.GetJsonAsync($"{category.Url}/models")).Items());
        await (await category.SendScoreAsync(Parts.Good(1))).ProblemAsync(409, "model_not_ready");
    }

    [Fact]
    public async Task The_running_fit_of_a_deleted_category_publishes_nothing()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateAsync(SlowSettings);
        await category.UploadPartsAsync(1000, 40);
        var job = await category.StartFitAsync();
        await shared.Http.JobWhenAsync(job, state => state == "running");
        Assert.Equal(204, (int)(await shared.Http.DeleteAsync(category.Url)).StatusCode);
        await (await shared.Http.GetAsync($"/v1/jobs/{job}")).ProblemAsync(404, "job_not_found");

        // The worker lets go of it: the next job runs.
        var next = await shared.NewCategoryAsync();
        await next.UploadPartsAsync(0, 2);
        await next.FitAsync();
        await (await shared.Http.GetAsync($"{category.Url}/models")).ProblemAsync(404, "category_not_found");
        var folder = Path.Combine(shared.Service.Get<Data.DataDirectory>().Models, category.Name);
        Assert.False(Directory.Exists(folder) && Directory.EnumerateFiles(folder).Any());
    }

    [Fact]
    public async Task A_graceful_stop_gives_the_job_back_and_the_next_start_finishes_it()
    {
        using var data = new TempDirectory();
        string job;
        await using (var service = await RunningService.StartAsync(data.Path, ("Threads", 1)))
        {
            var category = service.Category("stopped");
            await category.CreateAsync(SlowSettings);
            await category.UploadPartsAsync(1000, 40);
            job = await category.StartFitAsync();
            await service.Http.JobWhenAsync(job, state => state == "running");
        }
        await using var idle = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        var waiting = await idle.Http.GetJsonAsync($"/v1/jobs/{job}");
        Assert.Equal(("queued", 0), (waiting.Text("state"), waiting["attempts"]!.GetValue<int>()));

        await using var next = await RunningService.StartAsync(data.Path);
        var ended = await next.Http.FinishedAsync(job);
        Assert.Equal(("succeeded", 1), (ended.Text("state"), ended["attempts"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_look_at_a_job_reads_no_model()
    {
        using var data = new TempDirectory();
        string job;
        await using (var service = await RunningService.StartAsync(data.Path))
        {
            var category = service.Category("part");
            await category.CreateAsync();
            await category.UploadPartsAsync(0, 2);
            job = await category.StartFitAsync();
            await service.Http.FinishedAsync(job);
        }
        await using var next = await RunningService.StartAsync(data.Path);
        // An attempt to read this file would find the damage.
        foreach (var file in Directory.EnumerateFiles(Path.Combine(next.Get<Data.DataDirectory>().Models, "part")))
            File.Delete(file);

        Assert.Equal("succeeded", (await next.Http.GetJsonAsync($"/v1/jobs/{job}")).Text("state"));
        Assert.Contains(
            "succeeded",
            await next.Http.GetStringAsync($"/v1/jobs/{job}/events"),
            StringComparison.Ordinal
        );
        Assert.Single((await next.Http.GetJsonAsync("/v1/jobs")).Items());

        Assert.Equal(0, next.Get<ModelCache>().Count);
        Assert.Empty(next.Get<ModelFiles>().ListDamage());
        await (await next.Category("part").SendScoreAsync(Parts.Good(1))).ProblemAsync(503, "model_corrupt");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_sees_a_fit_succeed_scores_with_its_model_on_every_replica(bool byEvents)
    {
        using var data = new TempDirectory();
        await using var one = await RunningService.StartAsync(data.Path);
        await using var other = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await one.Category("part").CreateAsync();
        await one.Category("part").UploadPartsAsync(0, 2);
        // The replica that runs no jobs looks for changes once per second: five fits do not hide behind its looks.
        for (var version = 1; version <= 5; version++)
        {
            var job = await one.Category("part").StartFitAsync();
            await Task.WhenAll(new[] { one, other }.Select(replica => SeeAndScoreAsync(replica, job, version)));
        }

        async Task SeeAndScoreAsync(RunningService replica, string job, int version)
        {
            if (byEvents)
                Assert.Contains(
                    "succeeded",
                    await replica.Http.GetStringAsync($"/v1/jobs/{job}/events"),
                    StringComparison.Ordinal
                );
            else
                Assert.Equal("succeeded", (await replica.Http.FinishedAsync(job)).Text("state"));
            Assert.Equal(
                version,
                (await replica.Category("part").ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>()
            );
        }
    }

    private static Task<HttpResponseMessage> StartAsync(CategoryClient category, string key, object? body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/fits")
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        request.Headers.Add("Idempotency-Key", key);
        return category.Http.SendAsync(request);
    }
}
