using PaDiM.Core.Scoring;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>Represents what one model found in an image.</summary>
/// <param name="Model">The snapshot of the model.</param>
/// <param name="Map">The map over the prepared image.</param>
/// <param name="Mapper">Leads from the prepared image to the pixels of the image.</param>
/// <param name="Level">From here on, pixels are marked as a defect.</param>
/// <param name="Result">What the client gets.</param>
internal sealed record ModelScore(
    CategoryModel Model,
    AnomalyMap Map,
    OriginalMapper Mapper,
    double Level,
    RegionScore Result
)
{
    /// <summary>
    /// Finds the score that decides about the part: that of the worst decision and, among equals, of the highest share
    /// of its threshold.
    /// </summary>
    public static ModelScore FindDeciding(IReadOnlyList<ModelScore> scores) =>
        scores.MaxBy(score =>
            (score.Result.Decision, score.Result.ScoreRatio ?? (score.Result.Score > 0 ? double.PositiveInfinity : 0))
        )!;
}
