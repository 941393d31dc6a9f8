using System.Text.Json;
using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>A threshold change: exactly one of the two members.</summary>
internal sealed record ThresholdRequest
{
    /// <summary>
    /// Accepted share of false rejects, above 0 and below 1; the calibrated threshold follows from it.
    /// </summary>
    public double? FalseRejectRate { get; init; }

    /// <summary>A threshold for the active model, at least 0; null resets to the calibrated one.</summary>
    public double? Threshold { get; init; }

    /// <summary>Gets the problem if a rate is not below the category's review rate, or null.</summary>
    public static Problem? CheckAgainst(double? reviewRate, double? falseRejectRate) =>
        falseRejectRate >= reviewRate
            ? Problems.InvalidSettings($"falseRejectRate must be below the category's reviewRate ({reviewRate}).")
            : null;

    /// <summary>
    /// Gets the problem of setting or resetting a value while another version stands in for the active one, or null. A
    /// value applies to the scores of one version only.
    /// </summary>
    public Problem? CheckAgainst(CategoryModel? model) =>
        FalseRejectRate is null && model?.StandsInFor is { } active
            ? Problems.ModelFallback(active.Version, model.Version)
            : null;

    /// <summary>Parses a change manually, because null and an omitted member have different meanings.</summary>
    public static Outcome<ThresholdRequest> Parse(JsonElement body)
    {
        const string shape =
            "Send exactly one of {\"falseRejectRate\": 0.005}, {\"threshold\": 13.2} and {\"threshold\": null}.";
        if (body.ValueKind != JsonValueKind.Object || body.EnumerateObject().Count() != 1)
            return Problems.InvalidRequest(shape);
        var member = body.EnumerateObject().Single();
        switch (member.Name, member.Value.ValueKind)
        {
            case ("threshold", JsonValueKind.Null):
                return new ThresholdRequest();
            case ("threshold", JsonValueKind.Number):
                return member.Value.TryGetDouble(out var threshold) && threshold >= 0 && double.IsFinite(threshold)
                    ? new ThresholdRequest { Threshold = threshold }
                    : Problems.InvalidSettings("threshold must be a number of at least 0.");
            case ("falseRejectRate", JsonValueKind.Number):
                var rate = member.Value.GetDouble();
                return SettingsResolver.CheckRate(rate) is { } bad
                    ? bad
                    : new ThresholdRequest { FalseRejectRate = rate };
            default:
                return Problems.InvalidRequest(shape);
        }
    }
}
