using PaDiM.Core.Embedding;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Bench;

/// <summary>
/// Holds the features of a folder in the layout of MVTec AD in memory: the network runs once per image, however many
/// reductions, shrinkages and blur sigmas are compared afterwards. Masks have the prepared size.
/// </summary>
internal sealed class LabelledFeatures
{
    private readonly Grid _prepared;
    private readonly RawTap[][] _training;
    private readonly (RawTap[] Features, string? Defect, bool[]? Mask)[] _tests;

    private LabelledFeatures(string root, Backbone backbone, FitSettings sizes)
    {
        var decoding = DecodeOptions.For(sizes);
        var preprocessing = new Preprocessor(sizes, backbone.Manifest.Normalisation);
        using var network = new RawBackbone(backbone);
        _prepared = preprocessing.PreparedSize;
        _training =
        [
            .. Directory
                .EnumerateFiles(Path.Combine(root, "train", "good"))
                .Order(StringComparer.Ordinal)
                .Select(path => Extract(path, network, decoding, preprocessing)),
        ];
        _tests =
        [
            .. Directory
                .EnumerateFiles(Path.Combine(root, "test"), "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(path =>
                {
                    var defect = Path.GetFileName(Path.GetDirectoryName(path)!);
                    return (
                        Extract(path, network, decoding, preprocessing),
                        defect == "good" ? null : defect,
                        defect == "good" ? null : ReadMask(path, root, defect, sizes)
                    );
                }),
        ];
    }

    /// <summary>Gets the number of training images.</summary>
    public int TrainingCount => _training.Length;

    /// <summary>Reads a folder.</summary>
    public static LabelledFeatures Read(string root, Backbone backbone, FitSettings sizes) =>
        new(root, backbone, sizes);

    /// <summary>Computes embeddings of training images.</summary>
    public PatchEmbedding[] Embed(ChannelReduction reduction, bool localAverage, IEnumerable<int> images) =>
        [.. images.Select(i => RawBackbone.Embed(_training[i], reduction, localAverage))];

    /// <summary>Computes distances of all test images.</summary>
    public AnomalyMap[] Distances(
        ChannelReduction reduction,
        bool localAverage,
        Core.Statistics.PatchDistribution distribution
    ) =>
        [
            .. _tests
                .Chunk(8)
                .SelectMany(batch =>
                    MahalanobisScorer.ComputeDistances(
                        distribution,
                        [.. batch.Select(test => RawBackbone.Embed(test.Features, reduction, localAverage))]
                    )
                ),
        ];

    /// <summary>Measures distances of all test images, once per image score.</summary>
    public (ImageMetrics[] Images, PixelMetrics Pixels) Measure(
        AnomalyMap[] distances,
        double sigma,
        IEnumerable<ImageScoreMethod> methods
    )
    {
        var mapper = new PixelMapper(distances[0].Grid, _prepared, sigma);
        var maps = distances.AsParallel().AsOrdered().Select(map => mapper.ToPixels(map)).ToArray();
        return (
            [
                .. methods.Select(method =>
                    ImageMetrics.Compute(
                        [.. maps.Select(new ImageScore(method, _prepared.Positions).Compute)],
                        [.. _tests.Select(test => test.Defect is not null)]
                    )
                ),
            ],
            PixelMetrics.Compute([.. maps.Zip(_tests, (map, test) => new ScoredPixels(map, test.Mask))])
        );
    }

    private static RawTap[] Extract(
        string path,
        RawBackbone network,
        DecodeOptions decoding,
        Preprocessor preprocessing
    )
    {
        var input = new float[3 * preprocessing.PreparedSize.Positions];
        preprocessing.Prepare(Decode(path, decoding), input);
        return network.Extract(input, preprocessing.PreparedSize);
    }

    private static bool[] ReadMask(string path, string root, string defect, FitSettings sizes)
    {
        var whole = MaskImage.GetMarks(
            Decode(
                Path.Combine(root, "ground_truth", defect, $"{Path.GetFileNameWithoutExtension(path)}_mask.png"),
                DecodeOptions.Default
            ),
            sizes
        );
        var frame = sizes.CreateFrame(sizes.GetImageSize());
        var (width, across, down) = (frame.Prepared.Width, frame.Columns.Margin, frame.Rows.Margin);
        return
        [
            .. Enumerable
                .Range(0, frame.Prepared.Positions)
                .Select(p => whole[(p / width + down) * frame.ImageSize.Width + p % width + across]),
        ];
    }

    private static RgbImage Decode(string path, DecodeOptions options) =>
        new ImageDecoder().Decode(File.ReadAllBytes(path), options) is DecodeResult.Decoded decoded
            ? decoded.Image
            : throw new InvalidDataException($"{path} cannot be read.");
}
