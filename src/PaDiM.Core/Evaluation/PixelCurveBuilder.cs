namespace PaDiM.Core.Evaluation;

/// <summary>
/// Builds the curves of a whole test set and of all kinds of defects, in shared passes over the maps.
/// </summary>
/// <param name="maps">Test images.</param>
/// <param name="parallel">Degree of parallelism and cancellation.</param>
/// <param name="memory">Memory for counters in bytes; a pass handles at least one score.</param>
internal sealed class PixelCurveBuilder(
    IReadOnlyList<LabelledMap> maps,
    ParallelOptions parallel,
    long memory = 1L << 30
)
{
    private readonly string[] _kinds =
    [
        .. maps.Select(map => map.Defect)
            .OfType<string>()
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Builds the curves.</summary>
    /// <param name="limits">False-positive rates up to which areas are computed.</param>
    public (ProCurve All, IReadOnlyList<(string Defect, ProCurve Curve)> PerDefect) Build(params double[] limits)
    {
        // Pool 0 has the normal images, which all kinds share; each other pool has the images of one kind.
        var poolOf = maps.Select(map =>
                map.Defect is null ? 0 : 1 + Array.BinarySearch(_kinds, map.Defect, StringComparer.Ordinal)
            )
            .ToArray();
        var (ranks, regions, normal) = CollectScores(poolOf);
        var all = new ProCurve(regions.Sum(), normal.Sum(), limits);
        var perDefect = _kinds
            .Select((kind, k) => (kind, new ProCurve(regions[0] + regions[k + 1], normal[0] + normal[k + 1], limits)))
            .ToArray();

        // One more than the number of ranks, for normal pixels that score higher than all anomalous ones.
        var places = ranks.Count + 1;
        var capacity = (int)Math.Clamp(memory / PixelTally.BytesPerRank / (_kinds.Length + 1), 1, places);
        var tallies = Enumerable.Range(0, _kinds.Length + 1).Select(_ => new PixelTally(ranks, capacity)).ToArray();
        for (var end = places; end > 0; end -= capacity)
        {
            var start = Math.Max(0, end - capacity);
            foreach (var tally in tallies)
                tally.Reset(start, end - start);
            CountPixels(tallies, poolOf);
            PixelTally.AddToCurve(all, tallies);
            for (var k = 0; k < _kinds.Length; k++)
                PixelTally.AddToCurve(perDefect[k].Item2, [tallies[0], tallies[k + 1]]);
        }
        return (all, perDefect);
    }

    /// <summary>
    /// Collects the distinct scores of anomalous pixels, and the number of regions and normal pixels per pool.
    /// </summary>
    private (ScoreRanks Ranks, int[] Regions, long[] Normal) CollectScores(int[] poolOf)
    {
        var ranks = new ScoreRanks();
        var regions = new int[_kinds.Length + 1];
        var normal = new long[_kinds.Length + 1];
        Partition.Run(
            maps.Count,
            parallel,
            i =>
            {
                parallel.CancellationToken.ThrowIfCancellationRequested();
                var map = maps[i].Draw();
                var pixels = 0L;
                map.VisitNormal(scores => pixels += scores.Length);
                map.VisitAnomalous((scores, _) => ranks.Add(scores));
                Interlocked.Add(ref normal[poolOf[i]], pixels);
                Interlocked.Add(ref regions[poolOf[i]], map.Regions);
            }
        );
        ranks.Freeze();
        return (ranks, regions, normal);
    }

    private void CountPixels(PixelTally[] tallies, int[] poolOf)
    {
        foreach (var batch in Enumerable.Range(0, maps.Count).Chunk(2 * Partition.Cores(parallel)))
        {
            var drawn = new ScoredPixels[batch.Length];
            Partition.Run(
                batch.Length,
                parallel,
                i =>
                {
                    drawn[i] = maps[batch[i]].Draw();
                    drawn[i].VisitNormal(tallies[poolOf[batch[i]]].AddNormal);
                }
            );
            for (var i = 0; i < drawn.Length; i++)
                drawn[i].VisitAnomalous(tallies[poolOf[batch[i]]].AddAnomalous);
        }
    }
}
