using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>A threshold change: exactly one of the first two members.</summary>
internal sealed record ThresholdRequest
{
    /// <summary>
    /// Accepted share of false rejects, above 0 and below 1; the calibrated threshold follows from it.
    /// </summary>
    public double? FalseRejectRate { get; init; }

    /// <summary>A threshold for the active model, at least 0; null resets to the calibrated one.</summary>
    public double? Threshold { get; init; }

    /// <summary>Why, for the history: 1 to 200 characters.</summary>
    [MaxLength(ThresholdChange.MaxReason)]
    public string? Reason { get; init; }

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
            "Send exactly one of {\"falseRejectRate\": 0.005}, {\"threshold\": 13.2} and {\"threshold\": null}, and with it a "
            + "reason if you like.";
        if (body.ValueKind != JsonValueKind.Object)
            return Problems.InvalidRequest(shape);
        var reasons = body.EnumerateObject().Where(IsReason).ToArray();
        var changes = body.EnumerateObject().Where(member => !IsReason(member)).ToArray();
        if (changes is not [var member] || reasons.Length > 1)
            return Problems.InvalidRequest(shape);
        if (reasons.Length > 0 && CheckReason(reasons[0].Value) is { } unfit)
            return unfit;
        var reason = reasons is [{ Value.ValueKind: JsonValueKind.String } said]
            ? said.Value.GetString()!.Trim()
            : null;
        switch (member.Name, member.Value.ValueKind)
        {
            case ("threshold", JsonValueKind.Null):
                return new ThresholdRequest { Reason = reason };
            case ("threshold", JsonValueKind.Number):
                return member.Value.TryGetDouble(out var threshold) && threshold >= 0 && double.IsFinite(threshold)
                    ? new ThresholdRequest { Threshold = threshold, Reason = reason }
                    : Problems.InvalidSettings("threshold must be a number of at least 0.");
            case ("falseRejectRate", JsonValueKind.Number):
                var rate = member.Value.GetDouble();
                return SettingsResolver.CheckRate(rate) is { } bad
                    ? bad
                    : new ThresholdRequest { FalseRejectRate = rate, Reason = reason };
            default:
                return Problems.InvalidRequest(shape);
        }
    }

    private static bool IsReason(JsonProperty member) => member.NameEquals("reason");

    private static Problem? CheckReason(JsonElement reason) =>
        reason.ValueKind is JsonValueKind.Null
        || (
            reason.ValueKind is JsonValueKind.String
            && reason.GetString()!.Trim() is { Length: > 0 and <= ThresholdChange.MaxReason } text
            && !text.Any(char.IsControl)
        )
            ? null
            : Problems.InvalidRequest(
                $"reason must have 1 to {ThresholdChange.MaxReason} characters and no control characters."
            );
}
