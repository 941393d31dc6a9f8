using PaDiM.Engine.Scoring;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>
/// A model that is ready to score, with the thresholds in force: everything that a request needs, in one immutable
/// snapshot. Every change creates a new snapshot; running requests finish with the one they started with.
/// </summary>
/// <param name="Category">Name of the category.</param>
/// <param name="Version">Version of the model.</param>
/// <param name="Cached">The model in memory.</param>
/// <param name="Threshold">Scores at or above this value are anomalous.</param>
/// <param name="Calibrated">Whether the threshold follows from the false-reject rate; false if set manually.</param>
/// <param name="FalseRejectRate">The false-reject rate of the category.</param>
/// <param name="ReviewThreshold">Scores at or above this value need review; null for no review.</param>
/// <param name="ThresholdVersion">The number of changes of the category's threshold until then.</param>
/// <param name="RefuseOn">Codes of warnings that refuse an image.</param>
/// <param name="Inspections">What is kept of the inspections.</param>
/// <param name="Active">Whether this version scores by default.</param>
/// <param name="Revision">Revision of the category at the time of the snapshot.</param>
/// <param name="StandsInFor">The active version, if its file is damaged and this earlier version stands in for it; null
/// otherwise.</param>
internal sealed record CategoryModel(
    string Category,
    int Version,
    CachedModel Cached,
    double Threshold,
    bool Calibrated,
    double FalseRejectRate,
    double? ReviewThreshold,
    int ThresholdVersion,
    IReadOnlyList<string> RefuseOn,
    InspectionSettings Inspections,
    bool Active,
    long Revision,
    StoredModel? StandsInFor
)
{
    /// <summary>Gets the version that scores in the shadow of this one; null for none.</summary>
    public int? ShadowVersion { get; init; }

    /// <summary>Gets the scorer of the model.</summary>
    public ModelScorer Scorer => Cached.Scorer;

    public Decision Decide(double score) => Decide(score, Threshold, ReviewThreshold);

    /// <summary>The decision about an image.</summary>
    public static Decision Decide(double score, double threshold, double? reviewThreshold) =>
        score >= threshold ? Decision.Anomalous
        : score >= reviewThreshold ? Decision.Review
        : Decision.Normal;
}
