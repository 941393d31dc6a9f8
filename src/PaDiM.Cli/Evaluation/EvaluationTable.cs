using System.Globalization;
using PaDiM.Core.Evaluation;
using PaDiM.Engine.Evaluation;

namespace PaDiM.Cli.Evaluation;

/// <summary>
/// Formats results like the paper's tables: one row per category with its defects below it, and means over textures,
/// objects and all categories.
/// </summary>
internal static class EvaluationTable
{
    private const string Undefined = "–";

    private static readonly string[] Columns =
    [
        "category",
        "images",
        "image AUROC",
        "image AP",
        "F1-max",
        "pixel AUROC",
        "AU-PRO@0.3",
        "AU-PRO@0.05",
    ];

    /// <summary>Formats the table. With several seeds each figure is a mean and its standard deviation.</summary>
    public static string Format(IReadOnlyList<EvaluationRow> rows)
    {
        var table = new MarkdownTable(Columns);
        foreach (var row in rows)
        {
            var decisions = row.Reports[0].ConfusionAtThreshold;
            Add(
                row.Category,
                decisions.TruePositives + decisions.FalsePositives + decisions.TrueNegatives + decisions.FalseNegatives,
                [.. row.Reports.Select(report => GetFigures(report.Images, report.Pixels))]
            );
            for (var i = 0; i < row.Reports[0].PerDefect.Count; i++)
            {
                DefectReport[] defects = [.. row.Reports.Select(report => report.PerDefect[i])];
                Add(
                    $"- {defects[0].Defect}",
                    defects[0].Count,
                    [.. defects.Select(defect => GetFigures(defect.Images, defect.Pixels))]
                );
            }
        }
        AddMean("mean of textures", [.. rows.Where(row => row.Texture)]);
        AddMean("mean of objects", [.. rows.Where(row => !row.Texture)]);
        AddMean("mean", rows);
        return table.ToString();

        void Add(string name, int? images, double[][] seeds) =>
            table.Add([
                name.Replace("|", "\\|", StringComparison.Ordinal),
                images?.ToString(CultureInfo.InvariantCulture) ?? "",
                .. Enumerable.Range(0, seeds[0].Length).Select(i => FormatCell([.. seeds.Select(seed => seed[i])])),
            ]);

        void AddMean(string name, IReadOnlyList<EvaluationRow> of)
        {
            if (of.Count < 2)
                return;
            Add(
                name,
                null,
                [
                    .. Enumerable
                        .Range(0, of[0].Reports.Count)
                        .Select(seed =>
                            Mean([.. of.Select(row => GetFigures(row.Reports[seed].Images, row.Reports[seed].Pixels))])
                        ),
                ]
            );
        }
    }

    private static double[] Mean(double[][] categories) =>
        [.. Enumerable.Range(0, categories[0].Length).Select(i => categories.Average(values => values[i]))];

    private static double[] GetFigures(ImageMetrics images, PixelMetrics pixels) =>
        [images.Auroc, images.AveragePrecision, images.F1Max, pixels.Auroc, pixels.AuPro30, pixels.AuPro05];

    private static string FormatCell(double[] seeds)
    {
        var mean = seeds.Average();
        if (!double.IsFinite(mean))
            return Undefined;
        var figure = mean.ToString("f4", CultureInfo.InvariantCulture);
        return seeds.Length == 1
            ? figure
            : $"{figure} ± {EvaluationSummary.StandardDeviation(seeds).ToString("f4", CultureInfo.InvariantCulture)}";
    }
}
