using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>A fitted model: all that scoring needs but the backbone's own file. Immutable, thread-safe.</summary>
/// <param name="settings">What it was fitted with.</param>
/// <param name="backbone">The network that embeds for it.</param>
/// <param name="reduction">From the network's channels to d dimensions.</param>
/// <param name="distribution">One Gaussian a patch position.</param>
/// <param name="calibration">Leave-one-out image scores, in the order of <paramref name="trainingImages"/>.</param>
/// <param name="trainingImages">SHA-256 of each training image's bytes, lower-case hexadecimal.</param>
public sealed class PadimModel(
    FitSettings settings,
    BackboneIdentity backbone,
    ChannelReduction reduction,
    PatchDistribution distribution,
    ThresholdCalibration calibration,
    IReadOnlyList<string> trainingImages)
{
    /// <summary>What it was fitted with.</summary>
    public FitSettings Settings { get; } = settings;

    /// <summary>The network that embeds for it.</summary>
    public BackboneIdentity Backbone { get; } = backbone;

    /// <summary>From the network's channels to d dimensions.</summary>
    public ChannelReduction Reduction { get; } = reduction;

    /// <summary>One Gaussian a patch position.</summary>
    public PatchDistribution Distribution { get; } = distribution;

    /// <summary>Leave-one-out image scores, in the order of <see cref="TrainingImages"/>.</summary>
    public ThresholdCalibration Calibration { get; } = calibration;

    /// <summary>SHA-256 of each training image's bytes, lower-case hexadecimal.</summary>
    public IReadOnlyList<string> TrainingImages { get; } = trainingImages;

    /// <summary>Fewer images than dimensions + 1: epsilon carries the directions that the images leave open.</summary>
    public bool IsRankDeficient => TrainingImages.Count <= Distribution.Dimensions;
}
