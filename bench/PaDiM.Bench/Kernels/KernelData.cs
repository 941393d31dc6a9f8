using System.Runtime.InteropServices;
using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;

namespace PaDiM.Bench.Kernels;

/// <summary>Creates statistics and embeddings of the default size with random values.</summary>
internal static class KernelData
{
    public const int Dimensions = 100,
        Side = 64;

    private static readonly Lazy<QuantisedDistribution> LazyQuantised = new(CreateQuantised);
    private static readonly Lazy<FullRankDistribution> LazyFullRank = new(() =>
        new FullRankDistribution(
            Grid,
            Dimensions,
            new float[Grid.Positions * Dimensions],
            CreateNumbers(Grid.Positions * PackedTriangle.GetLength(Dimensions), 2)
        )
    );
    private static readonly Lazy<float[]> LazyDense = new(() =>
        CreateNumbers(Grid.Positions * Dimensions * Dimensions, 3)
    );

    public static Grid Grid { get; } = new(Side, Side);

    public static QuantisedDistribution Quantised => LazyQuantised.Value;

    /// <summary>Gets the factor of the first position for all positions.</summary>
    public static SharedDistribution Shared =>
        new(
            Grid,
            new QuantisedDistribution(
                new Grid(1, 1),
                Dimensions,
                Quantised.Mean[..Dimensions],
                Quantised.Whitening[..PackedTriangle.GetLength(Dimensions)],
                Quantised.Scale[..Dimensions]
            )
        );

    public static FullRankDistribution FullRank => LazyFullRank.Value;

    /// <summary>Gets one dense matrix per position.</summary>
    public static float[] Dense => LazyDense.Value;

    public static float[] CreateNumbers(int count, int seed)
    {
        var values = new float[count];
        var random = new Random(seed);
        foreach (ref var value in values.AsSpan())
            value = random.NextSingle() - 0.5f;
        return values;
    }

    private static QuantisedDistribution CreateQuantised()
    {
        var whitening = new short[Grid.Positions * PackedTriangle.GetLength(Dimensions)];
        new Random(1).NextBytes(MemoryMarshal.AsBytes(whitening.AsSpan()));
        var scale = new ushort[Grid.Positions * Dimensions];
        // 2^-12 in bfloat16.
        Array.Fill(scale, (ushort)0x3980);
        return new QuantisedDistribution(Grid, Dimensions, new float[Grid.Positions * Dimensions], whitening, scale);
    }
}
