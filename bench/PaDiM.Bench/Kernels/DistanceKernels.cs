using BenchmarkDotNet.Attributes;
using PaDiM.Core.Embedding;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Bench.Kernels;

/// <summary>
/// Distances of whole images on all cores, with the maps that they are written to: what is allocated is these maps and
/// what a parallel loop needs.
/// </summary>
[MemoryDiagnoser]
public class DistanceKernels
{
    private QuantisedDistribution _quantised = null!;
    private FullRankDistribution _full = null!;
    private PatchEmbedding[] _embeddings = [];

    /// <summary>Images at a time.</summary>
    [Params(1, 4, 16)]
    public int Images { get; set; }

    /// <summary>Makes statistics and embeddings.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _quantised = KernelData.Quantised;
        _full = KernelData.FullRank;
        _embeddings =
        [
            .. Enumerable
                .Range(0, Images)
                .Select(i => new PatchEmbedding(
                    KernelData.Grid,
                    KernelData.Dimensions,
                    KernelData.CreateNumbers(KernelData.Grid.Positions * KernelData.Dimensions, i)
                )),
        ];
    }

    /// <summary>Factors of 16 bits.</summary>
    [Benchmark(Baseline = true)]
    public AnomalyMap[] Quantised() => MahalanobisScorer.Distances(_quantised, _embeddings);

    /// <summary>Factors of float32.</summary>
    [Benchmark]
    public AnomalyMap[] FullRank() => MahalanobisScorer.Distances(_full, _embeddings);
}
