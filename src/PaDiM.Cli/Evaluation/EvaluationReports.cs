using System.Globalization;
using System.Text;
using System.Text.Json;
using PaDiM.Engine.Files;

namespace PaDiM.Cli.Evaluation;

/// <summary>Writes results to files. The extension selects the format.</summary>
internal static class EvaluationReports
{
    private const string Markdown = ".md",
        Json = ".json";

    /// <summary>Gets whether a file's extension is known.</summary>
    public static bool CanWrite(string path) => GetExtension(path) is Markdown or Json;

    /// <summary>Writes a file as a whole or not at all.</summary>
    public static void Write(string path, EvaluationPlan plan, IReadOnlyList<EvaluationRow> rows)
    {
        var bytes =
            GetExtension(path) == Json
                ? JsonSerializer.SerializeToUtf8Bytes(rows, EvaluationJson.Default.IReadOnlyListEvaluationRow)
                : Encoding.UTF8.GetBytes($"{FormatConditions(plan, rows[0])}\n\n{EvaluationTable.Format(rows)}");
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    /// <summary>Formats the conditions of the evaluation, so the table can be reproduced from the file alone.</summary>
    private static string FormatConditions(EvaluationPlan plan, EvaluationRow row)
    {
        var settings = JsonSerializer.Serialize(plan.Settings, EvaluationJson.Default.FitSettings);
        var seeds = string.Join(", ", plan.Seeds.Select(seed => seed.ToString(CultureInfo.InvariantCulture)));
        var protocol = plan.Protocol == EvaluationProtocol.Aligned ? "aligned" : "non-aligned";
        var label = plan.Repeats == 1 ? "seed" : "mean and standard deviation over the seeds";
        return $"Backbone {row.Backbone} (SHA-256 {row.BackboneSha256}), {protocol} protocol, {label} {seeds}, "
            + $"settings `{settings}`.";
    }

    private static string GetExtension(string path) => Path.GetExtension(path).ToLowerInvariant();
}
