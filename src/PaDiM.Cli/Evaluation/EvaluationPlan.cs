using System.Text.Json.Serialization;
using PaDiM.Core.Models;

namespace PaDiM.Cli.Evaluation;

/// <summary>Lists the ways of presenting images.</summary>
internal enum EvaluationProtocol
{
    /// <summary>As they are.</summary>
    [JsonStringEnumMemberName("aligned")]
    Aligned,

    /// <summary>Rotated and cropped at random.</summary>
    [JsonStringEnumMemberName("non-aligned")]
    NonAligned,
}

/// <summary>Represents an evaluation to run, apart from the files of the dataset and the backbone.</summary>
/// <param name="Root">The full path of the dataset's folder.</param>
/// <param name="Layout">Its layout.</param>
/// <param name="FrameStep">For videos, every Nth frame is used.</param>
/// <param name="Protocol">How images are presented.</param>
/// <param name="Settings">The settings of every fit.</param>
/// <param name="IgnoreMaskSha256">The hash of the ignore mask's file; null if all pixels count.</param>
/// <param name="Repeats">The fits per category, with seeds that count up from the seed of the settings.</param>
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
    /// <summary>Gets the seeds in order.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> Seeds => [.. Enumerable.Range(0, Repeats).Select(i => unchecked(Settings.Seed + i))];

    /// <summary>Gets the settings with a seed.</summary>
    public FitSettings WithSeed(int seed) => Settings with { Seed = seed };
}
