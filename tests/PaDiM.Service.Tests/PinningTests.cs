using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using PaDiM.Service.Data;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Change-over: models that are in memory before their product comes down the line, and stay there.</summary>
public sealed class PinningTests(PreparedData prepared) : IClassFixture<PreparedData>
{
    /// <summary>Models of more than a megabyte, the least budget.</summary>
    private const int ImageSize = 192;

    [Fact]
    public async Task A_prefetch_reads_the_model_once()
    {
        using var data = new TempDirectory();
        await PrepareAsync(data.Path, "part");
        await using var service = await RunningService.StartAsync(data.Path);
        Assert.Empty((await CacheAsync(service)).Items("models"));
        var first = await (await service.Http.PostAsync("/v1/categories/part/prefetch", null)).JsonAsync(200);
        Assert.Equal(
            ("part", 1, true),
            (first.Text("category"), first["modelVersion"]!.GetValue<int>(), first["loaded"]!.GetValue<bool>())
        );
        Assert.True(first.Number("milliseconds") > 0);
        Assert.False(
            (await (await service.Http.PostAsync("/v1/categories/part/prefetch", null)).JsonAsync(200))[
                "loaded"
            ]!.GetValue<bool>()
        );

        var cache = await CacheAsync(service);
        var held = cache.Items("models").Single();
        Assert.Equal(
            ("part", 1, false, first.Number("bytes")),
            (
                held.Text("category"),
                held["version"]!.GetValue<int>(),
                held["pinned"]!.GetValue<bool>(),
                held.Number("bytes")
            )
        );
        Assert.Equal(
            (4L << 30, first.Number("bytes"), 0),
            (cache["budgetBytes"]!.GetValue<long>(), cache.Number("bytes"), cache.Number("pinnedBytes"))
        );
        Assert.InRange(
            DateTime.UtcNow
                - DateTime.Parse(held.Text("lastUsedAt"), null, System.Globalization.DateTimeStyles.RoundtripKind),
            TimeSpan.FromSeconds(-1),
            TimeSpan.FromMinutes(1)
        );
    }

    [Fact]
    public async Task A_burst_of_prefetches_reads_the_model_once()
    {
        using var data = new TempDirectory();
        await PrepareAsync(data.Path, "part");
        await using var service = await RunningService.StartAsync(data.Path);
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(async _ =>
                    await (await service.Http.PostAsync("/v1/categories/part/prefetch", null)).JsonAsync(200)
                )
        );
        Assert.Single(answers, answer => answer["loaded"]!.GetValue<bool>());
    }

    [Fact]
    public async Task A_prefetch_has_the_problems_of_a_score()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        await service.Category("empty").CreateAsync();
        await (await service.Http.PostAsync("/v1/categories/empty/prefetch", null)).ProblemAsync(
            409,
            "model_not_ready"
        );
        await (await service.Http.PostAsync("/v1/categories/nowhere/prefetch", null)).ProblemAsync(
            404,
            "category_not_found"
        );
        await (await service.Http.PostAsync("/v1/categories/No!/prefetch", null)).ProblemAsync(400, "invalid_name");
    }

    [Fact]
    public async Task A_pinned_model_is_never_driven_out()
    {
        using var data = new TempDirectory();
        var bytes = await PrepareAsync(data.Path, "a", "b", "c");
        await using var service = await RunningService.StartAsync(data.Path, ("ModelCacheBytes", bytes * 5 / 2));
        Assert.True((await PinAsync(service, "a"))["pinned"]!.GetValue<bool>());
        foreach (var name in new[] { "a", "b", "c", "b", "c" })
        {
            await service.Category(name).ScoreAsync(Parts.Good(1));
            var cache = await CacheAsync(service);
            Assert.Contains(
                cache.Items("models"),
                model => model.Text("category") == "a" && model["pinned"]!.GetValue<bool>()
            );
            Assert.True(cache.Number("bytes") <= cache.Number("budgetBytes"));
        }

        // What is left out of a PUT has its default, as all other settings.
        Assert.False((await PinAsync(service, "a", pinned: null))["pinned"]!.GetValue<bool>());
        foreach (var name in new[] { "b", "c" })
            await service.Category(name).ScoreAsync(Parts.Good(1));
        Assert.DoesNotContain((await CacheAsync(service)).Items("models"), model => model.Text("category") == "a");
    }

    [Fact]
    public async Task Of_pins_that_do_not_fit_together_the_last_is_refused_with_both_figures()
    {
        using var data = new TempDirectory();
        var bytes = await PrepareAsync(data.Path, "a", "b", "c");
        var budget = bytes * 5 / 2;
        await using var service = await RunningService.StartAsync(data.Path, ("ModelCacheBytes", budget));
        string[] names = ["a", "b", "c"];
        var answers = await Task.WhenAll(
            names.Select(name => service.Http.PutAsJsonAsync($"/v1/categories/{name}", Settings(true)))
        );
        var refused = names.Zip(answers).Single(pair => !pair.Second.IsSuccessStatusCode);
        var problem = await refused.Second.ProblemAsync(409, "cache_budget_exceeded");
        Assert.Contains(
            budget.ToString("N0", System.Globalization.CultureInfo.InvariantCulture),
            problem.Text("detail"),
            StringComparison.Ordinal
        );
        Assert.Matches(@"would need [\d,]+ bytes", problem.Text("detail"));
        Assert.False((await service.Http.GetJsonAsync($"/v1/categories/{refused.First}"))["pinned"]!.GetValue<bool>());
        await service.Category(refused.First).ScoreAsync(Parts.Good(1));

        var other = names.First(name => name != refused.First);
        await PinAsync(service, other, pinned: false);
        await PinAsync(service, refused.First);
        // Without a model there is nothing that would need room.
        await (await service.Http.PutAsJsonAsync("/v1/categories/new", Settings(true))).JsonAsync(201);
    }

    [Fact]
    public async Task Pinned_models_beyond_the_budget_and_others_still_score()
    {
        using var data = new TempDirectory();
        var bytes = await PrepareAsync(data.Path, "a", "b", "c");
        await using (var ample = await RunningService.StartAsync(data.Path))
            foreach (var name in new[] { "a", "b" })
                await PinAsync(ample, name);
        await using var service = await RunningService.StartAsync(data.Path, ("ModelCacheBytes", bytes));
        await HoldsAsync(service, "a", 1);
        await HoldsAsync(service, "b", 1);
        foreach (var name in new[] { "c", "a", "b", "c" })
            await service.Category(name).ScoreAsync(Parts.Good(1));
        await HoldsAsync(service, "a", 1);
        await HoldsAsync(service, "b", 1);
        // Other settings of one that is pinned already are not refused.
        await PinAsync(service, "a", falseRejectRate: 0.2);
    }

    [Fact]
    public async Task Pins_and_new_versions_are_followed_on_every_replica_and_after_a_start()
    {
        using var data = new TempDirectory();
        await PrepareAsync(data.Path, "part");
        await using var one = await RunningService.StartAsync(data.Path);
        await using var other = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await PinAsync(one, "part");
        await HoldsAsync(other, "part", 1);

        await one.Category("part").UploadPartsAsync(40, 1);
        Assert.Equal(2, await one.Category("part").FitAsync());
        await HoldsAsync(one, "part", 2);
        await HoldsAsync(other, "part", 2);
        Assert.Single((await CacheAsync(other)).Items("models"), model => model["pinned"]!.GetValue<bool>());
        await (await one.Http.PostAsync("/v1/categories/part/models/1/activate", null)).JsonAsync(200);
        await HoldsAsync(other, "part", 1);

        await using (var later = await RunningService.StartAsync(data.Path, ("JobWorkers", 0)))
            await HoldsAsync(later, "part", 1);

        await PinAsync(one, "part", pinned: false);
        await Eventually.TrueAsync(
            async () => !(await CacheAsync(other)).Items("models").Any(model => model["pinned"]!.GetValue<bool>()),
            () => "The replica still pins the model."
        );
    }

    [Fact]
    public async Task A_pinned_model_that_cannot_be_loaded_holds_up_no_other()
    {
        using var data = new TempDirectory();
        await PrepareAsync(data.Path, "broken", "sound");
        await using (var before = await RunningService.StartAsync(data.Path))
        {
            foreach (var name in new[] { "broken", "sound" })
                await PinAsync(before, name);
            foreach (var path in Directory.GetFiles(Path.Combine(before.Get<DataDirectory>().Models, "broken")))
                File.Delete(path);
        }
        await using var after = await RunningService.StartAsync(data.Path);
        Assert.Equal("ok", (await after.Http.GetJsonAsync("/health/ready")).Text("status"));
        await HoldsAsync(after, "sound", 1);
        await (await after.Http.PostAsync("/v1/categories/broken/prefetch", null)).ProblemAsync(503, "model_corrupt");
    }

    [Fact]
    public async Task A_database_from_before_has_nothing_pinned()
    {
        using var data = new TempDirectory();
        await using (var before = await RunningService.StartAsync(data.Path, ("JobWorkers", 0)))
        {
            await before.Category("old").CreateAsync();
            await using var db = await before
                .Get<IDbContextFactory<PadimDbContext>>()
                .CreateDbContextAsync(TestContext.Current.CancellationToken);
            await db
                .Database.GetService<IMigrator>()
                .MigrateAsync("20261124042055_Evaluations", TestContext.Current.CancellationToken);
        }
        await using var after = await RunningService.StartAsync(data.Path);
        Assert.False((await after.Http.GetJsonAsync("/v1/categories/old"))["pinned"]!.GetValue<bool>());
        Assert.True((await PinAsync(after, "old"))["pinned"]!.GetValue<bool>());
    }

    /// <summary>Fits categories with models of one size, and gives that of their files.</summary>
    private Task<long> PrepareAsync(string data, params string[] names) =>
        prepared.CopyAsync(string.Join(' ', names), data, folder => FitAsync(folder, names));

    private static async Task<long> FitAsync(string data, string[] names)
    {
        await using var service = await RunningService.StartAsync(data);
        foreach (var name in names)
        {
            await service.Category(name).CreateAsync(Settings(null));
            await service.Category(name).UploadPartsAsync(0, 3);
            await service.Category(name).FitAsync();
        }
        var bytes = (await service.Http.GetJsonAsync($"/v1/categories/{names[0]}/models/1"))[
            "statisticsBytes"
        ]!.GetValue<long>();
        Assert.True(bytes > 1 << 20, $"{bytes} bytes");
        return bytes;
    }

    private static async Task<JsonNode> PinAsync(
        RunningService service,
        string category,
        bool? pinned = true,
        double falseRejectRate = 0.01
    ) =>
        await (
            await service.Http.PutAsJsonAsync($"/v1/categories/{category}", Settings(pinned, falseRejectRate))
        ).JsonAsync(200);

    private static JsonObject Settings(bool? pinned, double falseRejectRate = 0.01)
    {
        var settings = new JsonObject
        {
            ["imageSize"] = ImageSize,
            ["reduction"] = new JsonObject { ["dimensions"] = 32 },
            ["falseRejectRate"] = falseRejectRate,
        };
        if (pinned is not null)
            settings["pinned"] = pinned;
        return settings;
    }

    private static async Task<JsonNode> CacheAsync(RunningService service) =>
        (await service.Http.GetJsonAsync("/v1/system"))["modelCache"]!;

    /// <summary>Waits until a pinned model is in memory, without asking for it.</summary>
    private static async Task HoldsAsync(RunningService service, string category, int version)
    {
        JsonNode? seen = null;
        await Eventually.TrueAsync(
            async () =>
                (seen = await CacheAsync(service))
                    .Items("models")
                    .Any(model =>
                        model.Text("category") == category
                        && model["version"]!.GetValue<int>() == version
                        && model["pinned"]!.GetValue<bool>()
                    ),
            () => $"Held: {seen?.ToJsonString()}"
        );
    }
}
