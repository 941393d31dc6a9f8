using Microsoft.Extensions.Time.Testing;
using PaDiM.Engine.Machine;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Memory;
using PaDiM.Service.Models;
using PaDiM.Service.Tests.Support;

namespace PaDiM.Service.Tests;

public sealed class ModelCacheTests(SharedService shared)
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Loaded_models_give_way_to_a_fit_while_it_runs()
    {
        var scorer = await shared.GetScorerAsync();
        var plan = MemoryPlan.Create(new MemoryLimit(1 << 30, "memory.max"), long.MaxValue, new MemoryOptions());
        using var cache = new ModelCache(plan, _time);
        var models = Enumerable.Range(0, 4).Select(i => CreateModel($"part-{i}")).ToArray();
        foreach (var model in models)
            Assert.Empty(Put(model));
        cache.Pin(models[0]);

        // Leaves room for two of the four.
        var fit = plan.Fits.Bytes - 2 * scorer.Bytes;
        Assert.Equal(["part-1", "part-2"], cache.BeginFit(fit).Select(evicted => evicted.Category));
        Assert.Equal(["part-3"], Put(models[1]).Select(evicted => evicted.Category));
        Assert.Equal(2, cache.Count);

        // A second fit leaves nothing: the pinned model stays all the same.
        Assert.Equal(["part-1"], cache.BeginFit(fit).Select(evicted => evicted.Category));
        Assert.NotNull(cache.Peek(models[0]));
        cache.EndFit(fit);
        cache.EndFit(fit);
        foreach (var model in models)
            Assert.Empty(Put(model));
        Assert.Equal(4, cache.Count);

        IReadOnlyList<CachedModel> Put(StoredModel model)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return cache.Put(model, new ModelScorer(scorer.Model, scorer.Backbone)).Evicted;
        }
    }

    [Fact]
    public async Task A_candidate_evicts_no_model_that_is_pinned_or_in_use()
    {
        var scorer = await shared.GetScorerAsync();
        var plan = MemoryPlan.Create(
            new MemoryLimit(1 << 30, "memory.max"),
            long.MaxValue,
            new MemoryOptions { ModelCacheBytes = 2 * scorer.Bytes + scorer.Bytes / 2 }
        );
        using var cache = new ModelCache(plan, _time);
        var models = new[] { CreateModel("pinned"), CreateModel("used") };
        var candidate = CreateModel("candidate", scorer.Bytes);
        cache.Pin(models[0]);
        Assert.True(cache.HasRoomFor(candidate));
        foreach (var model in models)
            cache.Put(model, new ModelScorer(scorer.Model, scorer.Backbone));
        Assert.False(cache.HasRoomFor(candidate));
        Assert.True(cache.HasRoomFor(models[1]));
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.True(cache.HasRoomFor(candidate));
        cache.Get(models[1]);
        Assert.False(cache.HasRoomFor(candidate));
    }

    private static StoredModel CreateModel(string category, long bytes = 0) =>
        new()
        {
            StatisticsBytes = bytes,
            Category = category,
            BackboneName = "tiny",
            BackboneSha256 = "",
            FileName = $"{category}.model",
            Sha256 = "",
        };
}
