namespace PaDiM.Service.Scoring;

/// <summary>Represents where the time of an image went between its preparation and its maps, in milliseconds.</summary>
/// <param name="Waited">Waiting for the backbone and for the distances.</param>
/// <param name="Embedding">In the backbone.</param>
/// <param name="Scoring">In the distances.</param>
internal readonly record struct InferenceTimes(double Waited, double Embedding, double Scoring)
{
    /// <summary>Gets the times of an image from those of its models.</summary>
    /// <param name="maps">What each model got.</param>
    /// <param name="elapsed">The time until the last model had its map: models may have shared a pass of the backbone,
    /// whose time each of them reports.</param>
    public static InferenceTimes Create(IReadOnlyList<BatchedMap> maps, double elapsed)
    {
        if (maps.Count == 1)
            return new InferenceTimes(
                maps[0].Waited.TotalMilliseconds,
                maps[0].Embedding.TotalMilliseconds,
                maps[0].Scoring.TotalMilliseconds
            );
        var waited = maps.Min(map => map.Waited.TotalMilliseconds);
        var embedding = maps.Sum(map => map.Embedding.TotalMilliseconds);
        var scoring = maps.Sum(map => map.Scoring.TotalMilliseconds);
        var share = embedding + scoring > 0 ? Math.Max(0, elapsed - waited) / (embedding + scoring) : 0;
        return new InferenceTimes(waited, share * embedding, share * scoring);
    }
}
