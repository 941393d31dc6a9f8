namespace PaDiM.Service.Thresholds;

/// <summary>The threshold in force, whose it is and where it comes from.</summary>
/// <param name="ModelVersion">The version that scores, which all of this is about; null while there is no active model
/// that can be used.</param>
/// <param name="Fallback">That is an earlier version, in the place of the active one, whose file is damaged. Its
/// threshold is its own.</param>
/// <param name="Threshold">Scores at or above it are anomalous; null while there is no active model that can be
/// used.</param>
/// <param name="Calibrated">It follows from the false-reject rate; false when set by hand.</param>
/// <param name="FalseRejectRate">The rate asked for.</param>
/// <param name="SmallestFalseRejectRate">1 / (n + 1): no smaller rate can be promised from the n training
/// images.</param>
/// <param name="ReviewThreshold">Scores from here on are to be reviewed; null without a review rate.</param>
/// <param name="History">Changes, newest first.</param>
internal sealed record ThresholdResponse(
    int? ModelVersion,
    bool Fallback,
    double? Threshold,
    bool Calibrated,
    double FalseRejectRate,
    double? SmallestFalseRejectRate,
    double? ReviewThreshold,
    IReadOnlyList<ThresholdChangeResponse> History
);

/// <summary>A change of the threshold.</summary>
/// <param name="Version">Counts the category's changes from 1.</param>
/// <param name="At">When.</param>
/// <param name="Who">Name of the caller's key; <c>anonymous</c> without keys.</param>
/// <param name="ModelVersion">The version that was active.</param>
/// <param name="FalseRejectRate">The rate from then on.</param>
/// <param name="Threshold">The value that was set; null where it follows from the rate.</param>
internal sealed record ThresholdChangeResponse(
    int Version,
    DateTime At,
    string Who,
    int? ModelVersion,
    double FalseRejectRate,
    double? Threshold
);
