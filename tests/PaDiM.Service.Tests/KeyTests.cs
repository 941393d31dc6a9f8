using System.Net.Http.Json;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Keys, on services of their own: the first key closes a service.</summary>
public class KeyTests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private RunningService _service = null!;

    private (string Option, object Value)[] _database = [];

    public async ValueTask InitializeAsync()
    {
        _database = await CreateDatabaseAsync();
        _service = await RunningService.StartAsync(_data.Path, [("JobWorkers", 0), .. _database]);
    }

    /// <summary>Reads what the database keeps, as bytes.</summary>
    private protected virtual async Task<byte[]> ReadStoredAsync(PadimDbContext db)
    {
        await db.Database.ExecuteSqlAsync($"PRAGMA wal_checkpoint(TRUNCATE)");
        return await ReadSharedAsync(_data.Combine("padim.db"));
    }

    private protected virtual Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        Task.FromResult<(string Option, object Value)[]>([]);

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task The_first_key_closes_the_service_and_opens_it_for_its_holder()
    {
        Assert.False((await _service.Http.GetJsonAsync("/v1/system"))["keyRequired"]!.GetValue<bool>());
        var made = await (
            await _service.Http.PostAsJsonAsync("/v1/keys", new { name = "boss", scope = "admin" })
        ).JsonAsync(201);
        var key = made.Text("key");
        Assert.Matches("^padim_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$", key);

        var refused = await _service.Http.GetAsync("/v1/categories");
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.Single().Scheme);
        await refused.ProblemAsync(401, "unauthenticated");
        using var boss = _service.With(key);
        Assert.True((await boss.GetJsonAsync("/v1/system"))["keyRequired"]!.GetValue<bool>());
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/categories")
        {
            Headers = { { "X-Api-Key", key } },
        };
        await (await _service.Http.SendAsync(request)).JsonAsync(200);

        foreach (var open in new[] { "/health/live", "/health/ready", "/swagger/v1/swagger.json" })
            Assert.Equal(200, (int)(await _service.Http.GetAsync(open)).StatusCode);
        await (await _service.Http.GetAsync("/v1/nowhere")).ProblemAsync(404, "route_not_found");
    }

    [Fact]
    public async Task A_key_is_shown_once_and_only_its_hash_is_kept()
    {
        var (text, id) = await _service.KeyAsync(AccessScope.Admin, name: "boss");
        using var boss = _service.With(text);
        Assert.DoesNotContain(text, (await boss.GetJsonAsync("/v1/keys")).ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("boss", (await boss.GetJsonAsync($"/v1/keys/{id}")).Text("name"));
        await using var db = await _service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        var bytes = await ReadStoredAsync(db);
        Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(text[^43..])));
        Assert.NotEqual(-1, bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(KeyText.Hash(text))));
    }

    [Fact]
    public async Task A_key_that_is_not_right_in_every_letter_opens_nothing()
    {
        var (text, id) = await _service.KeyAsync(AccessScope.Admin);
        foreach (
            var wrong in new[]
            {
                text[..^1],
                text + "A",
                text[..^1] + (text[^1] == 'A' ? 'B' : 'A'),
                text.ToUpperInvariant(),
                $"padim_{id}_",
                $"padim_{new string('0', 12)}_{text[^43..]}",
                "padim_",
                "x",
                new string('x', 4000),
            }
        )
        {
            using var stranger = _service.With(wrong);
            await (await stranger.GetAsync("/v1/categories")).ProblemAsync(401, "key_unknown");
        }
        using var basic = new HttpRequestMessage(HttpMethod.Get, "/v1/categories")
        {
            Headers = { { "Authorization", "Basic cGFkaW06cGFkaW0=" } },
        };
        await (await _service.Http.SendAsync(basic)).ProblemAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task The_last_key_that_is_revoked_leaves_the_service_closed_also_after_a_restart()
    {
        var (text, id) = await _service.KeyAsync(AccessScope.Admin);
        using var boss = _service.With(text);
        Assert.Equal(204, (int)(await boss.DeleteAsync($"/v1/keys/{id}")).StatusCode);
        await (await boss.GetAsync("/v1/keys")).ProblemAsync(401, "key_revoked");
        await (await _service.Http.GetAsync("/v1/keys")).ProblemAsync(401, "unauthenticated");

        await _service.DisposeAsync();
        _service = await RunningService.StartAsync(_data.Path, _database);
        await (await _service.Http.GetAsync("/v1/keys")).ProblemAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task A_key_for_a_category_that_is_not_there_yet_is_made_with_a_warning()
    {
        await _service.Category("bolt").CreateAsync();
        var made = await (
            await _service.Http.PostAsJsonAsync(
                "/v1/keys",
                new
                {
                    name = "line",
                    scope = "score",
                    categories = new[] { "bolt", "flnage" },
                }
            )
        ).JsonAsync(201);
        Assert.Equal(
            ["The category 'flnage' does not exist yet; the key applies once it is created."],
            made.Items("warnings").Select(warning => warning.GetValue<string>())
        );
    }

    [Fact]
    public async Task A_key_that_is_revoked_again_says_when_it_was()
    {
        using var boss = _service.With((await _service.KeyAsync(AccessScope.Admin, name: "boss")).Text);
        var (_, id) = await _service.KeyAsync(AccessScope.Score);
        Assert.Equal(204, (int)(await boss.DeleteAsync($"/v1/keys/{id}")).StatusCode);
        var first = (await boss.GetJsonAsync($"/v1/keys/{id}")).Text("revokedAt");
        Assert.Equal(first, (await (await boss.DeleteAsync($"/v1/keys/{id}")).JsonAsync(200)).Text("revokedAt"));
        await (await boss.DeleteAsync("/v1/keys/000000000000")).ProblemAsync(404, "key_not_found");
    }

    [Fact]
    public async Task Many_requests_at_once_read_the_keys_once()
    {
        await _service.KeyAsync(AccessScope.Score);
        var contexts = new SlowContexts(_service.Get<IDbContextFactory<PadimDbContext>>());
        var time = new ManualTime();
        var ring = new KeyRing(contexts, new ChangeFeed(), time, NullLogger<KeyRing>.Instance);
        for (var round = 1; round <= 3; round++)
        {
            await Task.WhenAll(
                Enumerable.Range(0, 32).Select(_ => Task.Run(async () => Assert.True(await ring.AnyAsync(default))))
            );
            Assert.Equal(round, contexts.Made);
            time.Advance(TimeSpan.FromSeconds(2));
        }
    }

    /// <summary>The real database, slow to open, with a count.</summary>
    private sealed class SlowContexts(IDbContextFactory<PadimDbContext> inner) : IDbContextFactory<PadimDbContext>
    {
        private int _made;

        public int Made => _made;

        public PadimDbContext CreateDbContext() => inner.CreateDbContext();

        public async Task<PadimDbContext> CreateDbContextAsync(CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _made);
            await Task.Delay(50, cancellationToken);
            return await inner.CreateDbContextAsync(cancellationToken);
        }
    }

    [Fact]
    public async Task A_key_ends_when_it_was_to_end()
    {
        var (text, id) = await _service.KeyAsync(AccessScope.Score);
        using var line = _service.With(text);
        await (await line.GetAsync("/v1/categories")).JsonAsync(200);
        await _service.ExpireAsync(id);
        await (await line.GetAsync("/v1/categories")).ProblemAsync(401, "key_expired");
    }

    [Fact]
    public async Task A_restricted_key_sees_its_categories_and_no_trace_of_others()
    {
        foreach (var name in new[] { "bolt", "flange", "nut" })
            await _service.Category(name).CreateAsync();
        var ours = await _service.Category("flange").UploadPartsAsync(0, 2);
        await _service.Category("bolt").UploadPartsAsync(0, 2);
        var flangeJob = await _service.Category("flange").StartFitAsync();
        var boltJob = await _service.Category("bolt").StartFitAsync();
        using var http = _service.With((await _service.KeyAsync(AccessScope.Train, ["flange", "later"])).Text);

        Assert.Equal(
            ["flange"],
            (await http.GetJsonAsync("/v1/categories")).Items().Select(category => category.Text("name"))
        );
        Assert.Equal([flangeJob], (await http.GetJsonAsync("/v1/jobs")).Items().Select(job => job.Text("id")));
        Assert.Equal(200, (int)(await http.GetAsync($"/v1/categories/flange/images/{ours[0]}")).StatusCode);
        foreach (
            var url in new[]
            {
                "/v1/categories/bolt",
                "/v1/categories/nowhere",
                "/v1/categories/bolt/images",
                "/v1/jobs?category=bolt",
            }
        )
            await (await http.GetAsync(url)).ProblemAsync(403, "category_forbidden");
        var hidden = await (await http.GetAsync($"/v1/jobs/{boltJob}")).ProblemAsync(404, "job_not_found");
        var missing = await (await http.GetAsync($"/v1/jobs/{new string('0', boltJob.Length)}")).ProblemAsync(
            404,
            "job_not_found"
        );
        Assert.Equal(
            missing.Text("detail").Replace(new string('0', boltJob.Length), boltJob, StringComparison.Ordinal),
            hidden.Text("detail")
        );
        await (await http.DeleteAsync($"/v1/jobs/{boltJob}")).ProblemAsync(404, "job_not_found");
        await (await http.GetAsync($"/v1/jobs/{boltJob}/events")).ProblemAsync(404, "job_not_found");
        Assert.Equal(
            201,
            (int)(await http.PutAsJsonAsync("/v1/categories/later", CategoryClient.SmallSettings)).StatusCode
        );
        await (await http.PutAsJsonAsync("/v1/categories/other", CategoryClient.SmallSettings)).ProblemAsync(
            403,
            "category_forbidden"
        );
    }

    [Fact]
    public async Task The_last_use_of_a_key_is_noted()
    {
        var (text, id) = await _service.KeyAsync(AccessScope.Admin);
        using var boss = _service.With(text);
        Assert.Null((await boss.GetJsonAsync($"/v1/keys/{await UnusedAsync()}"))["lastUsedAt"]);
        await Eventually.TrueAsync(
            async () => (await boss.GetJsonAsync($"/v1/keys/{id}"))["lastUsedAt"] is not null,
            () => "The use was not noted."
        );

        async Task<string> UnusedAsync() => (await _service.KeyAsync(AccessScope.Score)).Id;
    }

    [Fact]
    public async Task The_history_of_a_threshold_names_the_key()
    {
        await _service.Category("flange").CreateAsync();
        using var quality = _service.With((await _service.KeyAsync(AccessScope.Train, name: "quality")).Text);
        var patched = await (
            await quality.PatchAsJsonAsync("/v1/categories/flange/threshold", new { falseRejectRate = 0.05 })
        ).JsonAsync(200);
        Assert.Equal("quality", patched.Items("history").Single().Text("who"));
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }
}
