using PaDiM.Core;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Represents a float32 tensor of a model's statistics that a scoring graph reads. Its values are computed part by
/// part: the whitening factors of a model are far too large to be in memory twice.
/// </summary>
/// <param name="Name">Name of the tensor in the graph.</param>
/// <param name="Shape">Row-major; the parts follow each other along the first axis.</param>
/// <param name="Parts">Number of parts, all of one length.</param>
/// <param name="Fill">Writes a part.</param>
internal sealed record ScoringTensor(string Name, IReadOnlyList<long> Shape, int Parts, Action<int, Span<float>> Fill)
{
    /// <summary>Creates a tensor in one part.</summary>
    public ScoringTensor(string name, IReadOnlyList<long> shape, float[] values)
        : this(name, shape, 1, (_, target) => values.CopyTo(target)) { }

    /// <summary>Gets the number of values.</summary>
    public long Length { get; } = Shape.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>Gets the number of values of one part.</summary>
    public int PartLength => (int)(Length / Parts);

    /// <summary>Creates all values.</summary>
    /// <param name="parallel">Degree of parallelism and scheduler.</param>
    public float[] ToArray(ParallelOptions parallel)
    {
        var values = new float[Length];
        ParallelLoop.For(Parts, parallel, part => Fill(part, values.AsSpan(part * PartLength, PartLength)));
        return values;
    }
}
