using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What the ledger does on a full disk, when time passes, and for callers who may see little.</summary>
public sealed class LedgerFaultTests : IDisposable
{
    private readonly TempDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_full_disk_stops_the_ledger_and_not_the_line()
    {
        await using (var before = await RunningService.StartAsync(_data.Path))
        {
            await before.Category("part").CreateFittedAsync(3);
            await before.Category("durable").CreateAsync();
            await before.Category("durable").UploadPartsAsync(0, 3);
            await before.Category("durable").FitAsync();
            await (
                await before.Http.PatchAsJsonAsync(
                    "/v1/categories/durable",
                    new { inspections = new { durable = true } }
                )
            ).JsonAsync(200);
            var kept = await before.Category("durable").ScoreAsync(Parts.Bad(1));
            Assert.Empty(kept.Items("warnings"));
            // Without a pause: the row was there before the answer.
            await before.Http.GetJsonAsync($"/v1/inspections/{kept.Text("inspectionId")}");
        }
        await using (
            var full = await RunningService.StartAsync(
                _data.Path,
                ("MinFreeBytes", long.MaxValue),
                ("InspectionQueueRows", 100)
            )
        )
        {
            var answer = await full.Category("durable").ScoreAsync(Parts.Bad(2));
            Assert.Equal("not_recorded", answer.Items("warnings").Single().Text("code"));
            for (var k = 0; k < 130; k++)
                await full.Category("part").ScoreAsync(Parts.Good(k % 3));
            var health = await full.Http.GetJsonAsync("/health/ready");
            Assert.Equal("degraded", health.Text("status"));
            Assert.Contains("MinFreeBytes", health["checks"]!.Text("inspections"), StringComparison.Ordinal);
            var metrics = await full.Http.GetStringAsync("/metrics");
            Assert.Contains("padim_inspections_failing", metrics, StringComparison.Ordinal);
            Assert.InRange(full.Get<InspectionLedger>().Lost, 1, 131);
            Assert.Empty((await full.Http.GetJsonAsync("/v1/inspections?category=part")).Items());
        }
        await using var after = await RunningService.StartAsync(_data.Path);
        Assert.Equal("ok", (await after.Http.GetJsonAsync("/health/ready")).Text("status"));
        await after.InspectAsync(after.Category("part"), Parts.Good(1));
        Assert.Single((await after.Http.GetJsonAsync("/v1/inspections?category=part")).Items());
    }

    [Fact]
    public async Task Rows_of_an_outage_wait_and_are_written_once()
    {
        await using var service = await RunningService.StartAsync(_data.Path);
        var category = service.Category("part");
        await category.CreateFittedAsync(3);
        await using (var other = service.Get<IDatabaseEngine>().CreateLedger())
        {
            await other.Database.ExecuteSqlRawAsync("ALTER TABLE \"Inspections\" RENAME TO \"Away\"");
            await category.ScoreAsync(Parts.Good(1));
            await Eventually.TrueAsync(
                () => Task.FromResult(service.Get<InspectionLedger>().Failure is not null),
                () => "Nothing failed."
            );
            await other.Database.ExecuteSqlRawAsync("ALTER TABLE \"Away\" RENAME TO \"Inspections\"");
        }
        await service.InspectAsync(category, Parts.Good(2));
        await Eventually.TrueAsync(
            () => Task.FromResult(service.Get<InspectionLedger>().Failure is null),
            () => "It does not recover."
        );
        await service.SettleAsync();
        Assert.Equal(2, (await service.Http.GetJsonAsync("/v1/inspections?category=part")).Items().Length);
    }

    [Fact]
    public async Task What_is_too_old_or_too_much_makes_room()
    {
        var time = new ManualTime();
        await using var service = await RunningService.StartByAsync(time, _data.Path);
        var category = service.Category("part");
        await category.CreateFittedAsync(3);
        await (
            await service.Http.PatchAsJsonAsync(category.Url, new { inspections = new { images = "all", days = 2 } })
        ).JsonAsync(200);
        var ids = new List<string>();
        for (var k = 0; k < 3; k++)
        {
            ids.Add((await service.InspectAsync(category, Parts.Good(k))).Text("inspectionId"));
            time.Advance(TimeSpan.FromDays(1));
        }
        // Two days and a bit are over for the first one.
        time.Advance(TimeSpan.FromHours(-23));
        var retention = service.Get<InspectionRetention>();
        await retention.RunAsync(default);
        Assert.Equal([ids[2], ids[1]], await ListAsync(service));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_data.Path, "inspections", "part")).Length);

        var size = Parts.Good(1).Length;
        await (await service.Http.PatchAsJsonAsync(category.Url, new { inspections = new { bytes = size } })).JsonAsync(
            200
        );
        await retention.RunAsync(default);
        Assert.Equal([ids[2], ids[1]], await ListAsync(service));
        await (await service.Http.GetAsync($"/v1/inspections/{ids[1]}/image")).ProblemAsync(
            404,
            "inspection_image_not_kept"
        );
        Assert.Equal(Parts.Good(2), await service.Http.GetByteArrayAsync($"/v1/inspections/{ids[2]}/image"));

        // A crash between the image and its row, or a category that another replica deleted.
        var orphan = Path.Combine(_data.Path, "inspections", "part", $"{1:x16}");
        File.Copy(Directory.GetFiles(Path.Combine(_data.Path, "inspections", "part")).Single(), orphan);
        await using (var db = service.Get<IDatabaseEngine>().CreateLedger())
            await LedgerRows.InsertAsync(
                db,
                [InspectionTests.CreateRow("gone", "1", InspectionKey.Create(time.GetUtcNow().UtcDateTime))],
                default
            );
        File.SetLastWriteTimeUtc(orphan, DateTime.UtcNow.AddDays(-1));
        time.Advance(TimeSpan.FromHours(7));
        Assert.Equal(1, await retention.RunAsync(default));
        Assert.False(File.Exists(orphan));
    }

    [Fact]
    public async Task A_clock_that_jumps_deletes_nothing_that_time_has_not_made_old()
    {
        var time = new ManualTime();
        await using (var service = await RunningService.StartByAsync(time, _data.Path))
        {
            await service.Category("part").CreateAsync(new { inspections = new { days = 2 } });
            var now = time.GetUtcNow().UtcDateTime;
            await using (var db = service.Get<IDatabaseEngine>().CreateLedger())
                await LedgerRows.InsertAsync(
                    db,
                    [
                        InspectionTests.CreateRow("part", "new", InspectionKey.Create(now.AddHours(-6))),
                        InspectionTests.CreateRow("part", "old", InspectionKey.Create(now.AddHours(-24))),
                        InspectionTests.CreateRow("part", "gone", InspectionKey.Create(now.AddHours(-49))),
                    ],
                    default
                );
            var retention = service.Get<InspectionRetention>();
            await retention.RunAsync(default);
            Assert.Equal(["new", "old"], await ListAsync(service));
            foreach (var days in new[] { 365, -365, 365 })
            {
                time.Jump(TimeSpan.FromDays(days));
                Assert.Equal(0, await retention.RunAsync(default));
            }
            Assert.Equal(["new", "old"], await ListAsync(service));
            await BehindAsync(service, @"3\d{7}");
        }
        // Still a year ahead, and the process cannot know it any more.
        await using (var service = await RunningService.StartByAsync(time, _data.Path))
        {
            var retention = service.Get<InspectionRetention>();
            await retention.RunAsync(default);
            Assert.Equal(["new", "old"], await ListAsync(service));
            // Three hours count for thirty.
            time.Advance(TimeSpan.FromHours(3));
            Assert.Equal(1, await retention.RunAsync(default));
            Assert.Equal(["new"], await ListAsync(service));
            time.Jump(TimeSpan.FromDays(-400));
            Assert.Equal(0, await retention.RunAsync(default));
            await BehindAsync(service, "0");
        }
    }

    [Fact]
    public async Task All_images_together_have_a_limit_too()
    {
        await using var service = await RunningService.StartAsync(_data.Path, ("InspectionImageMegabytes", 0));
        foreach (var name in new[] { "a", "b" })
        {
            await service.Category(name).CreateFittedAsync(3);
            await service.InspectAsync(service.Category(name), Parts.Bad(1));
        }
        await service.Get<InspectionRetention>().RunAsync(default);
        Assert.All(
            (await service.Http.GetJsonAsync("/v1/inspections")).Items(),
            row => Assert.Null(row["image"]!["keptBytes"])
        );
        Assert.Empty(Directory.GetFiles(Path.Combine(_data.Path, "inspections"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Callers_see_the_inspections_of_their_categories()
    {
        await using var service = await RunningService.StartAsync(_data.Path);
        foreach (var name in new[] { "a", "b", "c" })
        {
            await service.Category(name).CreateFittedAsync(3);
            await service.InspectAsync(service.Category(name), Parts.Bad(1), "", ("X-Inspection-Id", $"of-{name}"));
        }
        var (key, _) = await service.KeyAsync(AccessScope.Review, ["a", "c"]);
        using var reviewer = service.With(key);
        Assert.Equal(
            ["c", "a"],
            (await reviewer.GetJsonAsync("/v1/inspections")).Items().Select(row => row.Text("category"))
        );
        Assert.Equal(
            "a",
            (
                await reviewer.GetJsonAsync(
                    $"/v1/inspections?limit=1&cursor={(await reviewer.GetJsonAsync("/v1/inspections?limit=1")).Text("nextCursor")}"
                )
            )
                .Items()
                .Single()
                .Text("category")
        );
        await (await reviewer.GetAsync("/v1/inspections?category=b")).ProblemAsync(403, "category_forbidden");
        foreach (var path in new[] { "", "/image", "/heatmap" })
            await (await reviewer.GetAsync($"/v1/inspections/of-b{path}")).ProblemAsync(404, "inspection_not_found");
        await (await reviewer.PutAsJsonAsync("/v1/inspections/of-b/verdict", new { verdict = "good" })).ProblemAsync(
            404,
            "inspection_not_found"
        );
        await (await reviewer.PutAsJsonAsync("/v1/inspections/of-a/verdict", new { verdict = "good" })).JsonAsync(200);
        await (await reviewer.DeleteAsync("/v1/inspections?category=a&part=x")).ProblemAsync(403, "forbidden");
        // Whatever there is below /v1/inspections, and whatever the key may do with its own categories.
        var (restricted, _) = await service.KeyAsync(AccessScope.Admin, ["a", "c"]);
        using var foreman = service.With(restricted);
        var operations = service
            .Get<Microsoft.AspNetCore.Routing.EndpointDataSource>()
            .Endpoints.OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>()
            .Where(route => route.RoutePattern.RawText!.StartsWith("/v1/inspections", StringComparison.Ordinal))
            .SelectMany(route =>
                route
                    .Metadata.GetMetadata<Microsoft.AspNetCore.Routing.HttpMethodMetadata>()!
                    .HttpMethods.Select(verb =>
                        (
                            verb,
                            path: route
                                .RoutePattern.RawText!.TrimEnd('/')
                                .Replace("{id}", "of-b", StringComparison.Ordinal)
                        )
                    )
            )
            .Where(operation => operation.verb != "HEAD")
            .ToList();
        Assert.InRange(operations.Count, 9, 50);
        foreach (var (verb, path) in operations)
        {
            await (await SendAsync($"{path}?category=b&part=x")).ProblemAsync(403, "category_forbidden");
            if (path.Contains("of-b", StringComparison.Ordinal))
                await (await SendAsync(path)).ProblemAsync(404, "inspection_not_found");

            Task<HttpResponseMessage> SendAsync(string url) =>
                foreman.SendAsync(
                    new HttpRequestMessage(new HttpMethod(verb), url)
                    {
                        Content = verb == "GET" ? null : JsonContent.Create(new { verdict = "good" }),
                    }
                );
        }
        using var boss = service.With((await service.KeyAsync(AccessScope.Admin)).Text);
        Assert.Null((await boss.GetJsonAsync("/v1/inspections/of-b"))["verdict"]);
        var (line, _) = await service.KeyAsync(AccessScope.Score);
        using var scorer = service.With(line);
        await (await scorer.GetAsync("/v1/inspections")).ProblemAsync(403, "forbidden");
    }

    private static async Task BehindAsync(RunningService service, string seconds)
    {
        var seen = "";
        await Eventually.TrueAsync(
            async () =>
            {
                // The service's own run may just have begun before the jump.
                await service.Get<InspectionRetention>().RunAsync(default);
                seen = await service.Http.GetStringAsync("/metrics");
                return Regex.IsMatch(seen, $@"\npadim_inspections_retention_behind_seconds\S* {seconds}\b");
            },
            () => seen
        );
    }

    private static async Task<IEnumerable<string>> ListAsync(RunningService service) =>
        (await service.Http.GetJsonAsync("/v1/inspections?category=part")).Items().Select(row => row.Text("id"));
}
