using System.Text.Json;
using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>A change of the threshold: exactly one of the two members.</summary>
internal sealed record ThresholdRequest
{
    /// <summary>
    /// Share of good parts that may be rejected, above 0 and below 1; the calibrated threshold follows.
    /// </summary>
    public double? FalseRejectRate { get; init; }

    /// <summary>A threshold for the active model, at least 0; null goes back to the calibrated one.</summary>
    public double? Threshold { get; init; }

    /// <summary>The problem with a rate that is not below the category's review rate, or null.</summary>
    public static Problem? CheckAgainst(double? reviewRate, double? falseRejectRate) =>
        falseRejectRate >= reviewRate
            ? Problems.InvalidSettings($"falseRejectRate must stay below the category's reviewRate ({reviewRate}).")
            : null;

    /// <summary>
    /// The problem with a value, or a way back from one, while another version scores in the active one's place; null
    /// where there is none. A value is that of one version's scores.
    /// </summary>
    public Problem? CheckAgainst(CategoryModel? model) =>
        FalseRejectRate is null && model?.StandsInFor is { } active
            ? Problems.ModelFallback(active.Version, model.Version)
            : null;

    /// <summary>
    /// Reads a change. By hand, since here a member that is null says something else than one that is left out.
    /// </summary>
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
