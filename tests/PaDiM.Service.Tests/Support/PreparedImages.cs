using PaDiM.Engine.Scoring;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Tests.Support;

/// <summary>Images as the backbone takes them, for tests that score without HTTP.</summary>
internal static class PreparedImages
{
    /// <summary>Gets the scorer of the shared category that has a model.</summary>
    public static async Task<ModelScorer> GetScorerAsync(this SharedService shared)
    {
        var category = await shared.FittedAsync();
        var acquired = await shared
            .Service.Get<ModelRegistry>()
            .AcquireAsync(category.Name, null, CancellationToken.None);
        Assert.True(acquired.Succeeded(out var model, out _));
        return model.Scorer;
    }

    /// <summary>Draws an image of noise; another for another seed.</summary>
    public static float[] Draw(ModelScorer scorer, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, scorer.Embedder.PreparedLength).Select(_ => 4 * random.NextSingle() - 2)];
    }

    /// <summary>Gets the largest distance of a map.</summary>
    public static float GetMax(BatchedMap batched) => Assert.IsType<RawMap.Patches>(batched.Map).Distances.Max();
}
