using PaDiM.Engine.Scoring;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>What a score decides.</summary>
internal enum Decision
{
    Normal,
    Review,
    Anomalous,
}

/// <summary>
/// A model that is ready to score, with the thresholds in force: everything a request needs, in one immutable snapshot.
/// A change of any of it makes a new snapshot; requests under way end with the one they began with.
/// </summary>
/// <param name="Category">Whose it is.</param>
/// <param name="Version">Which version.</param>
/// <param name="Cached">The model in memory.</param>
/// <param name="Threshold">Scores at or above it are anomalous.</param>
/// <param name="Calibrated">The threshold follows from the false-reject rate; false when set by hand.</param>
/// <param name="FalseRejectRate">The rate asked for.</param>
/// <param name="ReviewThreshold">Scores from here on are to be reviewed; null for no review.</param>
/// <param name="Active">It is the version that scores where none is asked for.</param>
/// <param name="Revision">Revision of the category that it was made from.</param>
/// <param name="StandsInFor">The active version, where its file is damaged and this earlier one scores in its place;
/// null otherwise.</param>
internal sealed record CategoryModel(
    string Category,
    int Version,
    CachedModel Cached,
    double Threshold,
    bool Calibrated,
    double FalseRejectRate,
    double? ReviewThreshold,
    bool Active,
    long Revision,
    StoredModel? StandsInFor
)
{
    /// <summary>Scores with it.</summary>
    public ModelScorer Inspector => Cached.Inspector;

    public Decision Decide(double score) => Decide(score, Threshold, ReviewThreshold);

    /// <summary>What a score decides.</summary>
    public static Decision Decide(double score, double threshold, double? reviewThreshold) =>
        score >= threshold ? Decision.Anomalous
        : score >= reviewThreshold ? Decision.Review
        : Decision.Normal;
}
