using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Who changed what and when.</summary>
public class AuditTests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private RunningService _service = null!;

    public async ValueTask InitializeAsync() =>
        _service = await RunningService.StartAsync(_data.Path, [("JobWorkers", 0), .. await CreateDatabaseAsync()]);

    private protected virtual Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        Task.FromResult<(string Option, object Value)[]>([]);

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task Every_change_is_kept_with_its_actor_and_what_came_of_it()
    {
        var key = await _service.KeyAsync(AccessScope.Admin, name: "boss");
        using var boss = _service.With(key.Text);
        var flange = new CategoryClient(boss, "flange");
        await flange.CreateAsync();
        var images = await flange.UploadPartsAsync(0, 3);
        await boss.DeleteAsync($"{flange.Url}/images/{images[2]}");
        await flange.PatchThresholdAsync(new { falseRejectRate = 0.05 });
        var job = await flange.StartFitAsync();
        await boss.PostAsync($"{flange.Url}/models/7/activate", null);
        await boss.DeleteAsync($"/v1/jobs/{job}");
        await boss.DeleteAsync(flange.Url);

        var entries = (await boss.GetJsonAsync("/v1/audit?category=flange")).Items();
        Assert.Equal(
            [
                ("category.delete", 204),
                ("job.cancel", 202),
                ("model.activate", 404),
                ("fit.start", 202),
                ("threshold.patch", 200),
                ("image.delete", 204),
                ("images.upload", 200),
                ("category.put", 201),
            ],
            entries.Select(entry => (entry.Text("action"), entry["status"]!.GetValue<int>()))
        );
        Assert.All(
            entries,
            entry =>
                Assert.Equal(
                    ("boss", key.Id, "127.0.0.1"),
                    (entry.Text("actor"), entry.Text("keyId"), entry.Text("address"))
                )
        );
        Assert.All(entries, entry => Assert.NotEqual("", entry.Text("traceId")));
        Assert.Equal($"/v1/jobs/{job}", entries[3].Text("result"));
        Assert.Equal(0.05, entries[4]["detail"]!.Number("falseRejectRate"));
        Assert.Equal(images, entries[6]["detail"]!["accepted"]!.AsArray().Select(id => id!.GetValue<string>()));
        Assert.Equal(("fit", "queued"), (entries[1]["detail"]!.Text("kind"), entries[1]["detail"]!.Text("was")));
        // What was stored, with all that the request left out.
        var stored = entries[7]["detail"]!;
        Assert.Equal(
            (16, "semi-orthogonal", "tiny", 0.01),
            (
                stored["reduction"]!["dimensions"]!.GetValue<int>(),
                stored["reduction"]!.Text("method"),
                stored.Text("backbone"),
                stored.Number("falseRejectRate")
            )
        );
    }

    [Fact]
    public async Task A_refused_number_that_JSON_cannot_write_leaves_an_entry_with_its_end()
    {
        var refused = await _service.Http.PutAsJsonAsync("/v1/categories/odd", new { epsilon = "NaN" });
        await refused.ProblemAsync(422, "invalid_settings");
        var entry = Assert.Single((await _service.Http.GetJsonAsync("/v1/audit?category=odd")).Items());
        Assert.Equal(422, entry["status"]!.GetValue<int>());
    }

    [Fact]
    public async Task Entries_are_found_by_actor_key_and_time_a_page_at_a_time()
    {
        await _service.Category("a").CreateAsync();
        var key = await _service.KeyAsync(AccessScope.Admin, name: "boss");
        using var boss = _service.With(key.Text);
        foreach (var name in new[] { "b", "c", "d" })
            await new CategoryClient(boss, name).CreateAsync();
        Assert.Equal("/v1/categories/a", (await ListAsync("?actor=anonymous")).Items().Single().Text("target"));
        Assert.Equal(3, (await ListAsync("?actor=boss")).Items().Length);
        Assert.Equal(3, (await ListAsync($"?actor={key.Id}")).Items().Length);
        Assert.Equal(4, (await ListAsync("?since=2026-01-01T00:00:00Z")).Items().Length);
        Assert.Empty((await ListAsync("?since=2099-01-01T00:00:00Z")).Items());
        var first = await ListAsync("?limit=3");
        Assert.Equal(
            ["/v1/categories/d", "/v1/categories/c", "/v1/categories/b"],
            first.Items().Select(entry => entry.Text("target"))
        );
        var second = await ListAsync($"?limit=3&cursor={first.Text("nextCursor")}");
        Assert.Equal("/v1/categories/a", second.Items().Single().Text("target"));
        var problem = await (await boss.GetAsync("/v1/audit?since=yesterday")).ProblemAsync(400, "invalid_request");
        Assert.Equal(
            "since cannot be \"yesterday\"; expected a time such as 2026-11-24T13:40:00Z.",
            problem.Text("detail")
        );

        Task<JsonNode> ListAsync(string query) => boss.GetJsonAsync($"/v1/audit{query}");
    }

    [Fact]
    public async Task A_change_that_the_process_did_not_live_to_see_the_end_of_has_an_entry()
    {
        await _service
            .Get<AuditStore>()
            .BeginAsync(
                new AuditEntry
                {
                    At = DateTime.UtcNow,
                    Actor = "boss",
                    Action = "category.delete",
                    Category = "flange",
                    Target = "/v1/categories/flange",
                },
                default
            );
        Assert.Null((await _service.Http.GetJsonAsync("/v1/audit")).Items().Single()["status"]);
    }

    [Fact]
    public async Task Keys_leave_entries_without_the_key_itself()
    {
        var made = await (
            await _service.Http.PostAsJsonAsync("/v1/keys", new { name = "boss", scope = "admin" })
        ).JsonAsync(201);
        using var boss = _service.With(made.Text("key"));
        var entry = (await boss.GetJsonAsync("/v1/audit")).Items().Single();
        Assert.Equal(
            ("key.create", "anonymous", $"/v1/keys/{made["about"]!.Text("id")}", "boss"),
            (entry.Text("action"), entry.Text("actor"), entry.Text("result"), entry["detail"]!.Text("name"))
        );
        Assert.DoesNotContain(made.Text("key")[^43..], entry.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entries_go_when_their_time_is_over()
    {
        await _service.Category("a").CreateAsync();
        await _service.Category("b").CreateAsync();
        await using var db = await _service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        var past = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await db
            .AuditEntries.Where(entry => entry.Category == "a")
            .ExecuteUpdateAsync(set => set.SetProperty(entry => entry.At, past));
        Assert.Equal(1, await _service.Get<AuditPurge>().PurgeAsync(default));
        Assert.Equal("b", (await _service.Http.GetJsonAsync("/v1/audit")).Items().Single().Text("category"));
    }
}
