namespace PaDiM.Service.Http;

/// <summary>The names of the response headers that carry a score beside a picture or numbers.</summary>
internal static class ResultHeaders
{
    public const string Category = "X-Padim-Category",
        ModelVersion = "X-Padim-Model-Version",
        Fallback = "X-Padim-Fallback",
        Score = "X-Padim-Score",
        Threshold = "X-Padim-Threshold",
        ScoreRatio = "X-Padim-Score-Ratio",
        DefectAreaPercent = "X-Padim-Defect-Area-Percent",
        PValue = "X-Padim-P-Value",
        Decision = "X-Padim-Decision",
        Warnings = "X-Padim-Warnings";

    /// <summary>Lists text fields of a form that were not read; of any answer.</summary>
    public const string IgnoredFields = "X-Padim-Ignored-Fields";

    /// <summary>Names the replica that answers; of every answer.</summary>
    public const string Replica = "X-Padim-Replica";

    /// <summary>Gets the headers that carry a score.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [Category, ModelVersion, Fallback, Score, Threshold, ScoreRatio, DefectAreaPercent, PValue, Decision, Warnings];
}
