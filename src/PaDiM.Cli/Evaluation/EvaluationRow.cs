using System.Text.Json.Serialization;
using PaDiM.Core.Models;
using PaDiM.Engine.Evaluation;

namespace PaDiM.Cli.Evaluation;

/// <summary>Represents the result of one fit of a category.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Report">The figures.</param>
internal sealed record SeedResult(int Seed, EvaluationReport Report);

/// <summary>Represents the result of a category, as <c>padim evaluate --json</c> prints it.</summary>
/// <param name="Category">Its name.</param>
/// <param name="Texture">Whether it is a texture, which the paper averages separately from objects.</param>
/// <param name="Protocol">How images were presented.</param>
/// <param name="Backbone">Name of the network.</param>
/// <param name="BackboneSha256">Hash of its file.</param>
/// <param name="Settings">The settings of the fit; with the first seed if there were several.</param>
/// <param name="Seeds">The seed of each fit.</param>
/// <param name="Report">The figures of the only fit.</param>
/// <param name="Mean">The mean over several fits.</param>
/// <param name="Spread">The standard deviation over several fits.</param>
/// <param name="Runs">The figures of each of several fits.</param>
internal sealed record EvaluationRow(
    string Category,
    bool Texture,
    EvaluationProtocol Protocol,
    string Backbone,
    string BackboneSha256,
    FitSettings Settings,
    IReadOnlyList<int> Seeds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] EvaluationReport? Report,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] EvaluationSummary? Mean,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] EvaluationSummary? Spread,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<SeedResult>? Runs
)
{
    /// <summary>Gets the report of each fit.</summary>
    [JsonIgnore]
    public IReadOnlyList<EvaluationReport> Reports => Report is null ? [.. Runs!.Select(run => run.Report)] : [Report];

    /// <summary>Creates a row from the results of a category.</summary>
    public static EvaluationRow Create(
        string category,
        bool texture,
        EvaluationPlan plan,
        BackboneIdentity backbone,
        IReadOnlyList<SeedResult> results
    )
    {
        EvaluationReport[] reports = [.. results.Select(result => result.Report)];
        var several = reports.Length > 1;
        return new EvaluationRow(
            category,
            texture,
            plan.Protocol,
            backbone.Name,
            backbone.Sha256,
            plan.Settings,
            [.. results.Select(result => result.Seed)],
            several ? null : reports[0],
            several ? EvaluationSummary.Mean(reports) : null,
            several ? EvaluationSummary.Spread(reports) : null,
            several ? results : null
        );
    }
}
