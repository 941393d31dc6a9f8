using BenchmarkDotNet.Attributes;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Bench.Kernels;

/// <summary>
/// What is around the backbone and the distances: preparing an image of 512 x 512, putting taps together, and drawing
/// distances out to pixels.
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
    private Preprocessor _preprocessing = null!;
    private FeatureMap[] _taps = [];
    private float[] _prepared = [],
        _resized = [];

    /// <summary>Makes taps of strides 4, 8 and 16.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _preprocessing = new Preprocessor(_settings, Normalisation.ImageNet);
        _prepared = new float[3 * _settings.PreparedSize().Positions];
        _resized = new float[3 * _settings.ImageSize * _settings.ImageSize];
        _taps =
        [
            .. Sides.Select(side => new FeatureMap(
                KernelData.CreateNumbers(side * side * KernelData.Dimensions, side),
                new Grid(side, side)
            )),
        ];
    }

    /// <summary>Antialiased resize alone.</summary>
    [Benchmark]
    public void Resize() => AntialiasedResampler.Resize(_image, _settings.ImageSize, _settings.ImageSize, _resized);

    /// <summary>Resize and normalisation.</summary>
    [Benchmark]
    public void Prepare() => _preprocessing.Prepare(_image, _prepared);

    /// <summary>The sum of reduced taps, over an embedding that is not needed any more.</summary>
    [Benchmark]
    public PatchEmbedding Embed() => PatchEmbedding.Of(new ReducedTaps(_taps, KernelData.Dimensions), reuse: _reuse);

    /// <summary>Upsampling and smoothing.</summary>
    [Benchmark]
    public AnomalyMap ToPixels() => _distances.ToPixels(_settings.PreparedSize(), _settings.BlurSigma);

    /// <summary>The image score of a map.</summary>
    [Benchmark]
    public float Max() => _distances.Max();
}
