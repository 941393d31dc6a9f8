using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Core.Alignment;
using PaDiM.Core.Calibration;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Persistence;

/// <summary>
/// A model as one safetensors file: <c>mean</c> F32 (h, w, d); the covariances as <c>whitening</c> I16 (h, w, d (d + 1)
/// / 2) with <c>scale</c> BF16 (h, w, d), or, for few images, as <c>basis</c> F32 (h, w, r, d), <c>whitening</c> F32
/// (h, w, r (r + 1) / 2) and <c>ridge</c> F32 (h, w), 0 where a position does not count, or, where 16 bits are too few,
/// as <c>whitening</c> F32 (h, w, d (d + 1) / 2) alone; <c>calibration</c> F64 (n); the reduction as <c>channels</c> I32 (d) or <c>projection</c> F32
/// (C, d); <c>golden</c> U8 (k, H, W, 3) with <c>goldenScores</c> F32 (k) and, for a letterbox, <c>goldenSizes</c> I32
/// (k, 2): what is below and right of these rows and columns is 0; where pixels are ignored, <c>ignored</c> U8 (H, W);
/// where all positions share a Gaussian, h = w = 1 above and <c>grid</c> I32 (2); where images are aligned,
/// <c>template</c> F32 (H, W), all at the image size of H x W; and a JSON card under the metadata key <c>padim</c>.
/// </summary>
public static class ModelFile
{
    internal const string Format = "padim-model/1";

    /// <summary>The largest number of golden images.</summary>
    public const int MaxGoldenImages = 3;

    /// <summary>Writes a model. The same model always gives the same bytes.</summary>
    public static void Write(Stream stream, PadimModel model)
    {
        var card = new ModelCard(
            model.Settings,
            model.Backbone,
            [.. model.Reduction.TapChannels],
            model.TrainingImages,
            model.Findings,
            model.Calibration.Uncounted is { Count: > 0 } uncounted ? uncounted : null,
            model.Profile,
            model.Settings.Shrinkage == ShrinkageMethod.Auto ? model.Shrinkage : null
        );
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["padim"] = JsonSerializer.Serialize(card, ModelJson.Default.ModelCard),
        };
        var size = model.Settings.GetImageSize();
        var d = model.Distribution.Dimensions;
        List<SafetensorsTensor> tensors =
        [
            .. CreateTensors(model.Distribution),
            SafetensorsTensor.Create(
                "calibration",
                [model.Calibration.Scores.Count],
                model.Calibration.Scores.ToArray()
            ),
            model.Reduction switch
            {
                ChannelSelection selection => SafetensorsTensor.Create("channels", [d], selection.Channels.ToArray()),
                ChannelProjection projection => SafetensorsTensor.Create(
                    "projection",
                    [model.Reduction.InputChannels, d],
                    projection.Weights
                ),
                _ => throw new ArgumentException("The reduction has an unknown type.", nameof(model)),
            },
        ];
        if (model.GoldenImages is { Count: > 0 } golden)
        {
            var goldenSize = model.Settings.GetGoldenSize();
            tensors.Add(
                SafetensorsTensor.Create(
                    "golden",
                    [golden.Count, goldenSize.Height, goldenSize.Width, 3],
                    golden.SelectMany(image => Pad(image, goldenSize)).ToArray()
                )
            );
            if (model.Settings.Aspect == AspectMode.Letterbox)
                tensors.Add(
                    SafetensorsTensor.Create(
                        "goldenSizes",
                        [golden.Count, 2],
                        golden.SelectMany(image => new[] { image.Size.Height, image.Size.Width }).ToArray()
                    )
                );
            tensors.Add(
                SafetensorsTensor.Create("goldenScores", [golden.Count], golden.Select(image => image.Score).ToArray())
            );
        }
        if (model.Ignored is { } ignored)
            tensors.Add(
                SafetensorsTensor.Create(
                    "ignored",
                    [size.Height, size.Width],
                    Array.ConvertAll(ignored, pixel => (byte)(pixel ? 1 : 0))
                )
            );
        var templateSize = model.Settings.GetTemplateSize();
        if (model.Template is { } template)
            tensors.Add(SafetensorsTensor.Create("template", [templateSize.Height, templateSize.Width], template));
        Safetensors.Write(stream, metadata, tensors);
    }

    /// <summary>Reads a model and verifies it.</summary>
    /// <param name="stream">A seekable stream. If it is an <see cref="UnmanagedMemoryStream"/>, the model's statistics
    /// are views of its memory.</param>
    /// <param name="verified">True if the caller has already verified the content by a hash, so that the file's own
    /// checksum is skipped.</param>
    /// <exception cref="InvalidDataException">The file is not a model, or is damaged.</exception>
    public static PadimModel Read(Stream stream, bool verified = false)
    {
        var file = SafetensorsReader.Open(stream, verified);
        if (file.Metadata.GetValueOrDefault("format") != Format || !file.Metadata.TryGetValue("padim", out var json))
            throw new InvalidDataException("The file is not a PaDiM model of a known version.");
        try
        {
            var card = JsonSerializer.Deserialize(json, ModelJson.Default.ModelCard) ?? throw new JsonException();
            card = card with { Settings = AddEarlierSettings(card.Settings, json) };
            if ((card.Settings.Validate() ?? card.Validate()) is { } fault)
                throw new InvalidDataException($"The file's description is invalid: {fault}");
            var size = card.Settings.GetImageSize();
            var templateSize = card.Settings.GetTemplateSize();
            var distribution = ReadDistribution(file, card.Settings.Positions);
            var d = distribution.Dimensions;
            ChannelReduction reduction =
                card.Settings.Reduction == ReductionMethod.SemiOrthogonal
                    ? new ChannelProjection(
                        card.TapChannels,
                        file.ReadArray<float>("projection", card.TapChannels.Sum(), d),
                        d,
                        card.Settings.Seed
                    )
                    : new ChannelSelection(
                        card.Settings.Reduction,
                        card.TapChannels,
                        file.ReadArray<int>("channels", d),
                        card.Settings.Seed
                    );
            return new PadimModel(
                card.Settings,
                card.Backbone,
                reduction,
                distribution,
                new ThresholdCalibration(
                    file.ReadArray<double>("calibration", card.TrainingImages.Count),
                    card.Uncounted
                ),
                card.TrainingImages
            )
            {
                GoldenImages = ReadGoldenImages(file, card.Settings),
                Ignored = file.Contains("ignored")
                    ? Array.ConvertAll(file.ReadArray<byte>("ignored", size.Height, size.Width), pixel => pixel != 0)
                    : null,
                Template =
                    card.Settings.Alignment == AlignmentMethod.None
                        ? null
                        : ReadFiniteArray(file, "template", templateSize.Height, templateSize.Width),
                Findings = card.Findings ?? [],
                Profile = card.Profile,
                Shrinkage = card.Shrinkage ?? card.Settings.Shrinkage,
            };
        }
        catch (Exception e) when (e is JsonException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException("The file's description of its model cannot be read.", e);
        }
    }

    /// <summary>
    /// Adds what a card of an earlier version does not say, whatever the defaults are now: JPEGs at full size, samples
    /// over all of their range whatever the file states, epsilon alone, no weights, no local average, sigma 4, no
    /// shrinkage, and the maximum as score.
    /// </summary>
    private static FitSettings AddEarlierSettings(FitSettings settings, string json)
    {
        using var card = JsonDocument.Parse(json);
        if (!card.RootElement.TryGetProperty("settings", out var stated))
            return settings;
        if (!stated.TryGetProperty("jpegDecoding", out _))
            settings = settings with { JpegDecoding = JpegDecoding.FullSize };
        if (!stated.TryGetProperty("significantBits", out _))
            settings = settings with { SignificantBits = FitSettings.MaxSignificantBits };
        if (!stated.TryGetProperty("relativeRidge", out _))
            settings = settings with { RelativeRidge = 0 };
        if (!stated.TryGetProperty("quietExponent", out _))
            settings = settings with { QuietExponent = 0 };
        if (!stated.TryGetProperty("localAverage", out _))
            settings = settings with { LocalAverage = false };
        if (!stated.TryGetProperty("blurSigma", out _))
            settings = settings with { BlurSigma = 4 };
        if (!stated.TryGetProperty("shrinkage", out _))
            settings = settings with { Shrinkage = ShrinkageMethod.None };
        if (!stated.TryGetProperty("imageScore", out _))
            settings = settings with { ImageScore = ImageScoreMethod.Max };
        return settings;
    }

    private static IEnumerable<SafetensorsTensor> CreateTensors(PatchDistribution distribution)
    {
        if (distribution is SharedDistribution shared)
            return [GridTensor.Create(shared.Grid), .. CreateTensors(shared.Gaussian)];
        var h = distribution.Grid.Height;
        var w = distribution.Grid.Width;
        var d = distribution.Dimensions;
        var mean = SafetensorsTensor.Create("mean", [h, w, d], distribution.Mean);
        return distribution switch
        {
            QuantisedDistribution quantised =>
            [
                mean,
                SafetensorsTensor.Create("whitening", [h, w, PackedTriangle.GetLength(d)], quantised.Whitening),
                SafetensorsTensor.Create("scale", [h, w, d], quantised.Scale),
            ],
            FullRankDistribution full =>
            [
                mean,
                SafetensorsTensor.Create("whitening", [h, w, PackedTriangle.GetLength(d)], full.Whitening),
            ],
            LowRankDistribution low =>
            [
                mean,
                SafetensorsTensor.Create("basis", [h, w, low.Rank, d], low.Basis),
                SafetensorsTensor.Create("whitening", [h, w, PackedTriangle.GetLength(low.Rank)], low.Whitening),
                SafetensorsTensor.Create("ridge", [h, w], Replace(low.Ridge, float.PositiveInfinity, 0)),
            ],
            _ => throw new ArgumentException("The distribution has an unknown type.", nameof(distribution)),
        };
    }

    private static PatchDistribution ReadDistribution(SafetensorsReader file, PatchPositions positions) =>
        positions == PatchPositions.Shared
            ? new SharedDistribution(GridTensor.Read(file), ReadGaussians(file))
            : ReadGaussians(file);

    private static PatchDistribution ReadGaussians(SafetensorsReader file)
    {
        var shape = file.GetShape("mean");
        var (grid, d) =
            shape.Count == 3
                ? (new Grid((int)shape[0], (int)shape[1]), (int)shape[2])
                : throw new InvalidDataException("The mean has no shape of (h, w, d).");
        var mean = ReadFinite(file, "mean", grid.Height, grid.Width, d);
        var packed = PackedTriangle.GetLength(d);
        if (file.Contains("scale"))
            return new QuantisedDistribution(
                grid,
                d,
                mean,
                file.Read<short>("whitening", grid.Height, grid.Width, packed),
                file.Read<ushort>("scale", grid.Height, grid.Width, d)
            );
        if (!file.Contains("basis"))
            return new FullRankDistribution(
                grid,
                d,
                mean,
                ReadFinite(file, "whitening", grid.Height, grid.Width, packed)
            );
        var rank = file.GetShape("basis") is { Count: 4 } basis
            ? (int)basis[2]
            : throw new InvalidDataException("The basis has no shape of (h, w, r, d).");
        return new LowRankDistribution(
            grid,
            d,
            rank,
            mean,
            ReadFinite(file, "basis", grid.Height, grid.Width, rank, d),
            ReadFinite(file, "whitening", grid.Height, grid.Width, PackedTriangle.GetLength(rank)),
            ReadRidge(file, grid)
        );
    }

    /// <summary>
    /// Reads ridges, which are infinite where a position does not count. A file says 0 there, so that its numbers are
    /// finite; the distribution refuses those below 0.
    /// </summary>
    private static ReadOnlyMemory<float> ReadRidge(SafetensorsReader file, Grid grid)
    {
        var ridge = file.Read<float>("ridge", grid.Height, grid.Width);
        return TensorPrimitives.IsFiniteAll(ridge.Span)
            ? Replace(ridge, 0, float.PositiveInfinity)
            : throw new InvalidDataException("The file has values that are not finite.");
    }

    private static ReadOnlyMemory<float> Replace(ReadOnlyMemory<float> values, float old, float other)
    {
        if (!values.Span.Contains(old))
            return values;
        var replaced = values.ToArray();
        replaced.AsSpan().Replace(old, other);
        return replaced;
    }

    private static GoldenImage[] ReadGoldenImages(SafetensorsReader file, FitSettings settings)
    {
        if (!file.Contains("golden"))
            return [];
        var count = (int)file.GetShape("golden")[0];
        if (count > MaxGoldenImages)
            throw new InvalidDataException(
                $"The file has {count} golden images; a model has at most {MaxGoldenImages}, since every load scores "
                    + "them."
            );
        var whole = settings.GetGoldenSize();
        var pixels = file.ReadArray<byte>("golden", count, whole.Height, whole.Width, 3);
        var scores = ReadFiniteArray(file, "goldenScores", count);
        var sizes = settings.Aspect == AspectMode.Letterbox ? file.ReadArray<int>("goldenSizes", count, 2) : null;
        return
        [
            .. pixels
                .Chunk(3 * whole.Positions)
                .Select(
                    (image, i) =>
                    {
                        var size = sizes is null ? whole : new Grid(sizes[2 * i], sizes[2 * i + 1]);
                        if (size.Height < 1 || size.Width < 1 || size.Height > whole.Height || size.Width > whole.Width)
                            throw new InvalidDataException("A golden image is larger than the image size, or empty.");
                        return new GoldenImage(size, Cut(image, whole, size), scores[i]);
                    }
                ),
        ];
    }

    /// <summary>Fills an image up to a larger size, with black below and on the right.</summary>
    private static byte[] Pad(GoldenImage image, Grid whole)
    {
        if (image.Size == whole)
            return image.Pixels;
        var padded = new byte[3 * whole.Positions];
        for (var y = 0; y < image.Size.Height; y++)
            image
                .Pixels.AsSpan(3 * y * image.Size.Width, 3 * image.Size.Width)
                .CopyTo(padded.AsSpan(3 * y * whole.Width));
        return padded;
    }

    private static byte[] Cut(byte[] padded, Grid whole, Grid size)
    {
        if (size == whole)
            return padded;
        var pixels = new byte[3 * size.Positions];
        for (var y = 0; y < size.Height; y++)
            padded.AsSpan(3 * y * whole.Width, 3 * size.Width).CopyTo(pixels.AsSpan(3 * y * size.Width));
        return pixels;
    }

    private static ReadOnlyMemory<float> ReadFinite(SafetensorsReader file, string name, params long[] shape) =>
        CheckFinite(file.Read<float>(name, shape));

    private static float[] ReadFiniteArray(SafetensorsReader file, string name, params long[] shape)
    {
        var values = file.ReadArray<float>(name, shape);
        CheckFinite(values);
        return values;
    }

    private static ReadOnlyMemory<float> CheckFinite(ReadOnlyMemory<float> values) =>
        float.IsFinite(TensorPrimitives.SumOfMagnitudes(values.Span))
            ? values
            : throw new InvalidDataException("The file has values that are not finite.");
}

/// <summary>
/// The JSON card of a model file. Older files have no findings and no profile, and all of their scores count. The
/// shrinkage is there if the fit chose it.
/// </summary>
internal sealed record ModelCard(
    FitSettings Settings,
    BackboneIdentity Backbone,
    int[] TapChannels,
    IReadOnlyList<string> TrainingImages,
    IReadOnlyList<TrainingFinding>? Findings = null,
    IReadOnlyList<int>? Uncounted = null,
    InputProfile? Profile = null,
    ShrinkageMethod? Shrinkage = null
)
{
    /// <summary>Finds the first invalid value, as a sentence; null if all are valid.</summary>
    public string? Validate()
    {
        if (
            TrainingImages.Any(image => image is not { Length: 64 } || !image.All(char.IsAsciiHexDigitLower))
            || TrainingImages.Distinct(StringComparer.Ordinal).Count() < TrainingImages.Count
        )
            return "training images must be distinct SHA-256 hashes.";
        if (Uncounted is not null && !(Uncounted.All(IsImage) && Uncounted.Distinct().Count() < TrainingImages.Count))
            return "a score that does not count belongs to no image, or none counts.";
        var used = Shrinkage ?? Settings.Shrinkage;
        if (used == ShrinkageMethod.Auto || !Enum.IsDefined(used))
            return "the shrinkage that was used is not a method.";
        if (Profile is not null && !Profile.IsValid())
            return "the profile of the training images has bounds that are no numbers, or out of order.";
        return
            Findings is null
            || Findings.All(finding =>
                finding is not null
                && IsImage(finding.Index)
                && IsImage(finding.Of ?? 0)
                && Enum.IsDefined(finding.Kind)
                && double.IsFinite(finding.Deviations)
            )
            ? null
            : "a finding has an unknown image or kind.";
    }

    private bool IsImage(int index) => index >= 0 && index < TrainingImages.Count;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(ModelCard))]
internal sealed partial class ModelJson : JsonSerializerContext;
