namespace PaDiM.Engine.Graphs;

/// <summary>
/// A float32 tensor of a model's statistics that a scoring graph reads, made part by part: the whitening factors of a
/// model are far too large to lie in memory twice.
/// </summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Shape">Row-major; the parts follow each other along the first axis.</param>
/// <param name="Parts">Number of parts, all of one length.</param>
/// <param name="Fill">Writes a part.</param>
internal sealed record ScoringTensor(string Name, IReadOnlyList<long> Shape, int Parts, Action<int, Span<float>> Fill)
{
    /// <summary>A tensor in one part.</summary>
    public ScoringTensor(string name, IReadOnlyList<long> shape, float[] values)
        : this(name, shape, 1, (_, target) => values.CopyTo(target)) { }

    /// <summary>Number of values.</summary>
    public long Length { get; } = Shape.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>Values of a part.</summary>
    public int PartLength => (int)(Length / Parts);

    /// <summary>All values.</summary>
    /// <param name="parallel">Degree of parallelism.</param>
    public float[] ToArray(ParallelOptions parallel)
    {
        var values = new float[Length];
        Parallel.For(0, Parts, parallel, part => Fill(part, values.AsSpan(part * PartLength, PartLength)));
        return values;
    }
}
