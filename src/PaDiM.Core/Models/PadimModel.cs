using PaDiM.Core.Calibration;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Embedding;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>
/// A fitted model: everything that scoring needs except for the backbone's file. Immutable, thread-safe.
/// </summary>
/// <param name="Settings">Settings of the fit.</param>
/// <param name="Backbone">The network that computes embeddings.</param>
/// <param name="Reduction">Reduces the network's channels to d dimensions.</param>
/// <param name="Distribution">A Gaussian at each patch position.</param>
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
    /// Gets the ignore mask at the image size and before any crop, true for pixels that do not count; null if all count.
    /// </summary>
    /// <exception cref="ArgumentException">The mask has another size.</exception>
    public bool[]? Ignored
    {
        get => _ignored;
        init => _ignored = value is null ? null : Shapes.CheckLength(value, Settings.GetImageSize().Positions);
    }

    /// <summary>
    /// Gets the mean training image that images are aligned to, grey values from 0 to 255, at the image size; null without
    /// alignment.
    /// </summary>
    /// <exception cref="ArgumentException">The template has another size.</exception>
    public float[]? Template
    {
        get => _template;
        init => _template = value is null ? null : Shapes.CheckLength(value, Settings.GetTemplateSize().Positions);
    }

    /// <summary>
    /// Gets how the covariances were shrunk: the method that the settings name or, for <see
    /// cref="ShrinkageMethod.Auto"/>, the one that the fit chose.
    /// </summary>
    public ShrinkageMethod Shrinkage { get; init; } =
        Settings.Shrinkage == ShrinkageMethod.Auto ? ShrinkageMethod.None : Settings.Shrinkage;

    /// <summary>Gets near-duplicate, blurred and wrongly exposed training images, by index.</summary>
    public IReadOnlyList<TrainingFinding> Findings { get; init; } = [];

    /// <summary>Gets what the training images are like; null for models of before.</summary>
    public InputProfile? Profile { get; init; }

    /// <summary>Gets the images of the self-test when the model is loaded.</summary>
    public IReadOnlyList<GoldenImage> GoldenImages { get; init; } = [];

    /// <summary>Gets the size in memory, in bytes.</summary>
    public long Bytes =>
        Distribution.Bytes
        + GoldenImages.Sum(image => image.Pixels.LongLength)
        + (_template?.LongLength ?? 0) * sizeof(float)
        + (_ignored?.LongLength ?? 0);

    /// <summary>
    /// Gets whether a Gaussian has at most d samples, which are images or, where all positions share it, their patches:
    /// the ridge alone then gives variance to the directions that they do not span.
    /// </summary>
    public bool IsRankDeficient =>
        (long)TrainingImages.Count * (Distribution is SharedDistribution ? Distribution.Grid.Positions : 1)
        <= Distribution.Dimensions;
}
