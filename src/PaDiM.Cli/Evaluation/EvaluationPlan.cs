using System.Text.Json.Serialization;
using PaDiM.Core.Models;

namespace PaDiM.Cli.Evaluation;

/// <summary>How images are shown.</summary>
internal enum EvaluationProtocol
{
    /// <summary>As they are.</summary>
    [JsonStringEnumMemberName("aligned")]
    Aligned,

    /// <summary>Turned and cropped at random.</summary>
    [JsonStringEnumMemberName("non-aligned")]
    NonAligned,
}

/// <summary>What is to be measured, but for the dataset's files and the backbone's.</summary>
/// <param name="Root">The dataset's folder, its full path.</param>
/// <param name="Layout">How it is laid out.</param>
/// <param name="FrameStep">Of videos, every so manieth frame is taken.</param>
/// <param name="Protocol">How images are shown.</param>
/// <param name="Settings">Of every fit.</param>
/// <param name="IgnoreMaskSha256">Hash of the ignore mask's file; null where all pixels count.</param>
/// <param name="Repeats">Fits of each category, with seeds that count up from that of the settings.</param>
internal sealed record EvaluationPlan(
    string Root,
    string Layout,
    int FrameStep,
    EvaluationProtocol Protocol,
    FitSettings Settings,
    string? IgnoreMaskSha256,
    int Repeats
)
{
    /// <summary>The seeds in order.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> Seeds => [.. Enumerable.Range(0, Repeats).Select(i => unchecked(Settings.Seed + i))];

    /// <summary>The settings with a seed.</summary>
    public FitSettings WithSeed(int seed) => Settings with { Seed = seed };
}
