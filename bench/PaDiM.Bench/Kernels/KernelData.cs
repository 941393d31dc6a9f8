using System.Runtime.InteropServices;
using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Bench.Kernels;

/// <summary>Statistics and embeddings of the default size with random contents.</summary>
internal static class KernelData
{
    public const int Dimensions = 100;

    public static Grid Grid { get; } = new(64, 64);

    public static QuantisedDistribution Quantised()
    {
        var whitening = new short[Grid.Positions * PackedTriangle.Length(Dimensions)];
        new Random(1).NextBytes(MemoryMarshal.AsBytes(whitening.AsSpan()));
        var scale = new ushort[Grid.Positions * Dimensions];
        // 2^-12 in bfloat16.
        Array.Fill(scale, (ushort)0x3980);
        return new QuantisedDistribution(Grid, Dimensions, new float[Grid.Positions * Dimensions], whitening, scale);
    }

    public static FullRankDistribution FullRank() =>
        new(Grid, Dimensions, new float[Grid.Positions * Dimensions], Numbers(Grid.Positions * PackedTriangle.Length(Dimensions), 2));

    public static float[] Numbers(int count, int seed)
    {
        var (values, random) = (new float[count], new Random(seed));
        foreach (ref var value in values.AsSpan()) value = random.NextSingle() - 0.5f;
        return values;
    }
}
