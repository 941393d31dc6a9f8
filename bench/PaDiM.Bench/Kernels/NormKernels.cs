using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using PaDiM.Core.Statistics;
using PaDiM.Core.Statistics.Simd;

namespace PaDiM.Bench.Kernels;

/// <summary>
/// Distances of all images at one position, the mean over the positions of the default size, on one thread: factors of
/// 16 bits in lanes of each width, of float32, and dense matrices of float32. Nothing may be allocated here.
/// </summary>
[MemoryDiagnoser]
public class NormKernels
{
    /// <summary>All but the last one, behind which lanes would read what is not there.</summary>
    private const int Positions = KernelData.Side * KernelData.Side - 1;

    private QuantisedDistribution _quantised = null!;
    private FullRankDistribution _full = null!;
    private float[] _dense = [],
        _deltas = [],
        _used = [],
        _norms = [],
        _scratch = [];

    /// <summary>Images at a time.</summary>
    [Params(1, 4, 16)]
    public int Images { get; set; }

    /// <summary>Makes what is multiplied.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _quantised = KernelData.Quantised;
        _full = KernelData.FullRank;
        _dense = KernelData.Dense;
        _deltas = KernelData.CreateNumbers(Images * KernelData.Dimensions, 4);
        _used = new float[_deltas.Length];
        _norms = new float[Images];
        _scratch = new float[Math.Max(_quantised.Scratch, _full.Scratch)];
    }

    /// <summary>As the service scores.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Positions)]
    public float Quantised() => Walk(_quantised);

    /// <summary>With 512-bit vectors.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float QuantisedLanes512() => Walk<Lanes512>();

    /// <summary>With 256-bit vectors.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float QuantisedLanes256() => Walk<Lanes256>();

    /// <summary>With 128-bit vectors.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float QuantisedLanes128() => Walk<Lanes128>();

    /// <summary>Triangles of float32.</summary>
    [Benchmark(OperationsPerInvoke = Positions)]
    public float FullRank() => Walk(_full);

    /// <summary>Whole matrices, a dot product a row.</summary>
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
            distribution.Norms(p, _used, _norms, _scratch);
            sum += _norms[0];
        }
        return sum;
    }

    private float Walk<TLanes>()
        where TLanes : struct, ILanes<TLanes>
    {
        var d = KernelData.Dimensions;
        var packed = PackedTriangle.Length(KernelData.Dimensions);
        var sum = 0f;
        for (var p = 0; p < Positions; p++)
        {
            ref var blocks = ref MemoryMarshal.GetReference(_quantised.Whitening.Span[(p * packed)..]);
            ref var scales = ref MemoryMarshal.GetReference(_quantised.Scale.Span[(p * d)..]);
            TriangleBlocks.Norms<TLanes>(in blocks, in scales, d, _deltas, _norms);
            sum += _norms[0];
        }
        return sum;
    }
}
