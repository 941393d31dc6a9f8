namespace PaDiM.Service.Thresholds;

/// <summary>The threshold in force and its origin.</summary>
/// <param name="ModelVersion">The version that scores, to which all values refer; null if no active model can be
/// used.</param>
/// <param name="Fallback">Whether an earlier version scores because the file of the active one is damaged. It uses its
/// own threshold.</param>
/// <param name="Threshold">Scores at or above this value are anomalous; null if no active model can be used.</param>
/// <param name="Calibrated">Whether the threshold follows from the false-reject rate; false if set manually.</param>
/// <param name="FalseRejectRate">The false-reject rate of the category.</param>
/// <param name="SmallestFalseRejectRate">1 / (n + 1): the smallest rate that n training images can guarantee.</param>
/// <param name="ReviewThreshold">Scores at or above this value need review; null without a review rate.</param>
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
/// <param name="Version">Number of the change within the category, from 1.</param>
/// <param name="At">Time of the change.</param>
/// <param name="Who">Name of the caller's key; <c>anonymous</c> without keys.</param>
/// <param name="ModelVersion">The version that was active.</param>
/// <param name="FalseRejectRate">The new false-reject rate.</param>
/// <param name="Threshold">The threshold set manually; null if it follows from the rate.</param>
/// <param name="Reason">Why, in the caller's words; null if they did not say.</param>
internal sealed record ThresholdChangeResponse(
    int Version,
    DateTime At,
    string Who,
    int? ModelVersion,
    double FalseRejectRate,
    double? Threshold,
    string? Reason
);
