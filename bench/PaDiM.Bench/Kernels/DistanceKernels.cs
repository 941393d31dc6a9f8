using BenchmarkDotNet.Attributes;
using PaDiM.Core.Embedding;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Bench.Kernels;

/// <summary>
/// Benchmarks the distances of whole images on all cores. Allocations are the output maps and those of a parallel loop.
/// </summary>
[MemoryDiagnoser]
public class DistanceKernels
{
    private QuantisedDistribution _quantised = null!;
    private FullRankDistribution _full = null!;
    private SharedDistribution _shared = null!;
    private PatchEmbedding[] _embeddings = [];

    /// <summary>Gets or sets the images at a time.</summary>
    [Params(1, 4, 16)]
    public int Images { get; set; }

    /// <summary>Creates statistics and embeddings.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _quantised = KernelData.Quantised;
        _full = KernelData.FullRank;
        _shared = KernelData.Shared;
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

    /// <summary>Measures 16-bit factors.</summary>
    [Benchmark(Baseline = true)]
    public AnomalyMap[] Quantised() => MahalanobisScorer.ComputeDistances(_quantised, _embeddings);

    /// <summary>Measures float32 factors.</summary>
    [Benchmark]
    public AnomalyMap[] FullRank() => MahalanobisScorer.ComputeDistances(_full, _embeddings);

    /// <summary>Measures one 16-bit factor for all positions.</summary>
    [Benchmark]
    public AnomalyMap[] Shared() => MahalanobisScorer.ComputeDistances(_shared, _embeddings);
}
