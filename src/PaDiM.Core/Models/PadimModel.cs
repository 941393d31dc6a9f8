using PaDiM.Core.Calibration;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>A fitted model: all that scoring needs but the backbone's own file. Immutable, thread-safe.</summary>
/// <param name="Settings">What it was fitted with.</param>
/// <param name="Backbone">The network that embeds for it.</param>
/// <param name="Reduction">From the network's channels to d dimensions.</param>
/// <param name="Distribution">One Gaussian a patch position.</param>
/// <param name="Calibration">Leave-one-out image scores, in the order of <paramref name="TrainingImages"/>.</param>
/// <param name="TrainingImages">SHA-256 of each training image's bytes, lower-case hexadecimal.</param>
public sealed record PadimModel(
    FitSettings Settings,
    BackboneIdentity Backbone,
    ChannelReduction Reduction,
    PatchDistribution Distribution,
    ThresholdCalibration Calibration,
    IReadOnlyList<string> TrainingImages
)
{
    private readonly bool[]? _ignored;
    private readonly float[]? _template;

    /// <summary>
    /// Pixels that do not count, at the image size and before any crop, shape <c>(imageSize, imageSize)</c>; null when
    /// all count.
    /// </summary>
    /// <exception cref="ArgumentException">A mask of another size.</exception>
    public bool[]? Ignored
    {
        get => _ignored;
        init =>
            _ignored = value is null ? null : Shapes.CheckLength(value, (long)Settings.ImageSize * Settings.ImageSize);
    }

    /// <summary>
    /// The mean training image that images are aligned to, grey values of 0 to 255, shape <c>(imageSize,
    /// imageSize)</c>; null where nothing is aligned.
    /// </summary>
    /// <exception cref="ArgumentException">A template of another size.</exception>
    public float[]? Template
    {
        get => _template;
        init =>
            _template = value is null ? null : Shapes.CheckLength(value, (long)Settings.ImageSize * Settings.ImageSize);
    }

    /// <summary>Near-duplicates, blurred and wrongly exposed images among the training images, by index.</summary>
    public IReadOnlyList<TrainingFinding> Findings { get; init; } = [];

    /// <summary>What the model tests itself with when it is loaded.</summary>
    public IReadOnlyList<GoldenImage> GoldenImages { get; init; } = [];

    /// <summary>What it takes in memory.</summary>
    public long Bytes =>
        Distribution.Bytes
        + GoldenImages.Sum(image => image.Pixels.LongLength)
        + (_template?.LongLength ?? 0) * sizeof(float)
        + (_ignored?.LongLength ?? 0);

    /// <summary>Fewer images than dimensions + 1: epsilon carries the directions that the images leave open.</summary>
    public bool IsRankDeficient => TrainingImages.Count <= Distribution.Dimensions;
}
