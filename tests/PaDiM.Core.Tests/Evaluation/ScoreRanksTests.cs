using PaDiM.Core.Evaluation;

namespace PaDiM.Core.Tests.Evaluation;

public sealed class ScoreRanksTests
{
    [Fact]
    public void A_place_says_how_many_scores_lie_below_and_whether_it_is_one_of_them()
    {
        var random = new Random(5);
        float[] marked = [.. Enumerable.Range(0, 500).Select(_ => Any(random)), 0, float.Epsilon, float.MaxValue];
        var ranks = new ScoreRanks();
        ranks.Add(marked);
        ranks.Add(marked);
        ranks.Freeze();
        float[] sorted = [.. marked.Distinct().Order()];
        Assert.Equal(sorted.Length, ranks.Count);
        float[] near =
        [
            .. marked
                .SelectMany(score =>
                    new[] { score, MathF.BitIncrement(score), MathF.Max(0, MathF.BitDecrement(score)) }
                )
                .Where(float.IsFinite),
        ];
        foreach (var score in near.Concat(Enumerable.Range(0, 500).Select(_ => Any(random))).Append(-0f))
            Assert.Equal(2 * sorted.Count(s => s < score) + (sorted.Contains(score) ? 1 : 0), ranks.FindPlace(score));
    }

    [Fact]
    public void No_score_has_all_others_at_its_place()
    {
        var ranks = new ScoreRanks();
        ranks.Freeze();
        Assert.Equal(0, ranks.Count);
        Assert.Equal(0, ranks.FindPlace(3));
    }

    /// <summary>Half of the scores are close together, half anywhere.</summary>
    private static float Any(Random random) =>
        random.Next(2) == 0
            ? 1 + random.Next(4000) * MathF.ScaleB(1, -23)
            : BitConverter.Int32BitsToSingle(random.Next(0x7F800000));
}
