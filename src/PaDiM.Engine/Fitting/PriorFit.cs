using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Engine.Fitting;

/// <summary>A fit that a new one can start from: same settings, same backbone.</summary>
/// <param name="Reduction">The reduction that it drew.</param>
/// <param name="TrainingImages">SHA-256 of the images in its statistics.</param>
/// <param name="ReadStatistics">Reads its growing sums, which the fit then changes; null when they are gone, and the
/// fit starts from nothing.</param>
public sealed record PriorFit(
    ChannelReduction Reduction,
    IReadOnlyList<string> TrainingImages,
    Func<PatchStatistics?> ReadStatistics
);
