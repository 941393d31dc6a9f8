using BenchmarkDotNet.Attributes;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Bench.Kernels;

/// <summary>
/// Benchmarks the steps around the backbone and the distances: preparing a 512 x 512 image, combining taps, and
/// upsampling distances to pixels.
/// </summary>
[MemoryDiagnoser]
public class AroundKernels
{
    private const int Side = 512;

    private static readonly int[] Sides = [64, 32, 16];

    private readonly FitSettings _settings = new();
    private readonly RgbImage _image = new(
        Side,
        Side,
        [.. KernelData.CreateNumbers(3 * Side * Side, 1).Select(value => (byte)(255 * (value + 0.5f)))]
    );
    private readonly AnomalyMap _distances = new(
        KernelData.Grid,
        KernelData.CreateNumbers(KernelData.Grid.Positions, 2)
    );
    private readonly PatchEmbedding _reuse = new(KernelData.Grid, KernelData.Dimensions);
    private PixelMapper _mapper = null!;
    private Preprocessor _preprocessing = null!;
    private FeatureMap[] _taps = [];
    private float[] _prepared = [],
        _resized = [];

    /// <summary>Creates taps with strides 4, 8 and 16.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _mapper = new PixelMapper(KernelData.Grid, _settings.GetPreparedSize(), _settings.BlurSigma);
        _preprocessing = new Preprocessor(_settings, Normalisation.ImageNet);
        _prepared = new float[3 * _settings.GetPreparedSize().Positions];
        _resized = new float[3 * _settings.ImageSize * _settings.ImageSize];
        _taps =
        [
            .. Sides.Select(side => new FeatureMap(
                KernelData.CreateNumbers(side * side * KernelData.Dimensions, side),
                new Grid(side, side)
            )),
        ];
    }

    /// <summary>Measures the antialiased resize alone.</summary>
    [Benchmark]
    public void Resize() => AntialiasedResampler.Resize(_image, _settings.ImageSize, _settings.ImageSize, _resized);

    /// <summary>Measures resize and normalisation.</summary>
    [Benchmark]
    public void Prepare() => _preprocessing.Prepare(_image, _prepared);

    /// <summary>Measures the sum of reduced taps, with a reused buffer.</summary>
    [Benchmark]
    public PatchEmbedding Embed() =>
        PatchEmbedding.FromTaps(new ReducedTaps(_taps, KernelData.Dimensions), reuse: _reuse);

    /// <summary>Measures upsampling and smoothing.</summary>
    [Benchmark]
    public AnomalyMap ToPixels() => _mapper.ToPixels(_distances);

    /// <summary>Measures the image score of a map.</summary>
    [Benchmark]
    public float Max() => _distances.Max();
}
