using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Engine.Fitting;

/// <summary>Represents an earlier fit that a new one can update: same settings, same backbone.</summary>
/// <param name="Reduction">The reduction of the earlier fit.</param>
/// <param name="TrainingImages">SHA-256 of the images in its statistics.</param>
/// <param name="ReadStatistics">Reads its statistics, which the new fit then changes. Returns null if they no longer
/// exist; the new fit then starts from the images.</param>
public sealed record PriorFit(
    ChannelReduction Reduction,
    IReadOnlyList<string> TrainingImages,
    Func<TrainingStatistics?> ReadStatistics
);
