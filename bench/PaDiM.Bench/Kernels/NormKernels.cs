using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using PaDiM.Core.Statistics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Bench.Kernels;

/// <summary>
/// Benchmarks the distances of all images at one position, as the mean over the positions of the default size, on one
/// thread: 16-bit factors in lanes of each width, float32 factors, and dense float32 matrices. Nothing may be
/// allocated.
/// </summary>
[MemoryDiagnoser]
public class NormKernels
{
    /// <summary>All positions but the last, after which lanes would read past the end.</summary>
    private const int Positions = KernelData.Side * KernelData.Side - 1;

    private QuantisedDistribution _quantised = null!;
    private FullRankDistribution _full = null!;
    private float[] _dense = [],
        _deltas = [],
        _used = [],
        _norms = [],
        _scratch = [];

    /// <summary>Gets or sets the images at a time.</summary>
    [Params(1, 4, 16)]
    public int Images { get; set; }

    /// <summary>Creates factors and vectors.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _quantised = KernelData.Quantised;
        _full = KernelData.FullRank;
        _dense = KernelData.Dense;
        _deltas = KernelData.CreateNumbers(Images * KernelData.Dimensions, 4);
        _used = new float[_deltas.Length];
        _norms = new float[Images];
        _scratch = new float[Math.Max(_quantised.ScratchLength, _full.ScratchLength)];
    }

    /// <summary>Measures the kernel that the service uses.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Positions)]
    public float Quantised() => Walk(_quantised);

    /// <summary>Measures 512-bit vectors.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float QuantisedLanes512() => Walk<Lanes512>();

    /// <summary>Measures 256-bit vectors.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float QuantisedLanes256() => Walk<Lanes256>();

    /// <summary>Measures 128-bit vectors.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float QuantisedLanes128() => Walk<Lanes128>();

    /// <summary>Measures float32 triangles.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float FullRank() => Walk(_full);

    /// <summary>Measures full matrices, with one dot product per row.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float Dense()
    {
        var d = KernelData.Dimensions;
        var sum = 0f;
        for (var p = 0; p < Positions; p++)
        {
            var matrix = _dense.AsSpan(p * d * d, d * d);
            for (var image = 0; image < Images; image++)
            {
                var delta = _deltas.AsSpan(image * d, d);
                var square = 0f;
                for (var row = 0; row < d; row++)
                {
                    var y = TensorPrimitives.Dot<float>(matrix.Slice(row * d, d), delta);
                    square += y * y;
                }
                sum += MathF.Sqrt(square);
            }
        }
        return sum;
    }

    private float Walk(PatchDistribution distribution)
    {
        var sum = 0f;
        for (var p = 0; p < Positions; p++)
        {
            _deltas.CopyTo(_used, 0);
            distribution.ComputeNorms(p, _used, _norms, _scratch);
            sum += _norms[0];
        }
        return sum;
    }

    private float Walk<TLanes>()
        where TLanes : struct, ILanes<TLanes>
    {
        var d = KernelData.Dimensions;
        var packed = PackedTriangle.GetLength(KernelData.Dimensions);
        var sum = 0f;
        for (var p = 0; p < Positions; p++)
        {
            ref var blocks = ref MemoryMarshal.GetReference(_quantised.Whitening.Span[(p * packed)..]);
            ref var scales = ref MemoryMarshal.GetReference(_quantised.Scale.Span[(p * d)..]);
            TriangleBlocks.ComputeNorms<TLanes>(in blocks, in scales, d, _deltas, _norms);
            sum += _norms[0];
        }
        return sum;
    }
}
