using System.Globalization;
using System.Text.Json.Serialization;
using PaDiM.Core.Models;
using PaDiM.Onnx.Pipelines;
using Spectre.Console;

namespace PaDiM.Cli.Evaluation;

/// <summary>A category's result, as <c>padim evaluate --json</c> prints it.</summary>
internal sealed record EvaluationRow(string Category, bool Texture, string Backbone, FitSettings Settings, EvaluationReport Report);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(EvaluationRow))]
internal sealed partial class EvaluationJson : JsonSerializerContext;

/// <summary>Prints results as the paper's tables do: a row a category, its defects below it, and means over textures, objects and all.</summary>
internal static class EvaluationTable
{
    public static void Print(IReadOnlyList<EvaluationRow> rows)
    {
        var table = new Table { Border = TableBorder.Markdown }.AddColumns("category", "images", "image AUROC", "image AP", "F1-max", "pixel AUROC", "AU-PRO@0.3", "AU-PRO@0.05");
        foreach (var row in rows)
        {
            var decisions = row.Report.ConfusionAtThreshold;
            Add(row.Category, decisions.TruePositives + decisions.FalsePositives + decisions.TrueNegatives + decisions.FalseNegatives, Values(row.Report));
            foreach (var defect in row.Report.PerDefect)
                Add($"- {defect.Defect}", defect.Count, [defect.Images.Auroc, defect.Images.AveragePrecision, defect.Images.F1Max, defect.Pixels.Auroc, defect.Pixels.AuPro30, defect.Pixels.AuPro05]);
        }
        Mean("mean of textures", rows.Where(row => row.Texture));
        Mean("mean of objects", rows.Where(row => !row.Texture));
        Mean("mean", rows);
        AnsiConsole.Write(table);

        void Mean(string name, IEnumerable<EvaluationRow> of)
        {
            double[][] values = [.. of.Select(row => Values(row.Report))];
            if (values.Length > 1) Add(name, null, [.. Enumerable.Range(0, values[0].Length).Select(i => values.Average(v => v[i]))]);
        }

        void Add(string name, int? images, double[] values) =>
            table.AddRow([Markup.Escape(name), images?.ToString(CultureInfo.InvariantCulture) ?? "", .. values.Select(value => value.ToString("f4", CultureInfo.InvariantCulture))]);
    }

    private static double[] Values(EvaluationReport report) =>
        [report.Images.Auroc, report.Images.AveragePrecision, report.Images.F1Max, report.Pixels.Auroc, report.Pixels.AuPro30, report.Pixels.AuPro05];
}
