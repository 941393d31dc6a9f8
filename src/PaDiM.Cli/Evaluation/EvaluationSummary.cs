using PaDiM.Core.Evaluation;
using PaDiM.Engine.Evaluation;

namespace PaDiM.Cli.Evaluation;

/// <summary>Combines the figures of several reports.</summary>
/// <param name="Images">The metrics of image scores.</param>
/// <param name="Pixels">The metrics of maps.</param>
/// <param name="PerDefect">Both for each kind of defect.</param>
internal sealed record EvaluationSummary(
    ImageMetrics Images,
    PixelMetrics Pixels,
    IReadOnlyList<DefectReport> PerDefect
)
{
    /// <summary>Computes the mean of each figure.</summary>
    public static EvaluationSummary Mean(IReadOnlyList<EvaluationReport> reports) =>
        Combine(reports, values => values.Average());

    /// <summary>Computes the sample standard deviation of each figure over the reports; NaN for one report.</summary>
    public static EvaluationSummary Spread(IReadOnlyList<EvaluationReport> reports) =>
        Combine(reports, StandardDeviation);

    /// <summary>Computes the standard deviation of a sample.</summary>
    public static double StandardDeviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    private static EvaluationSummary Combine(IReadOnlyList<EvaluationReport> reports, Func<double[], double> one) =>
        new(
            Combine([.. reports.Select(report => report.Images)], one),
            Combine([.. reports.Select(report => report.Pixels)], one),
            [
                .. reports[0]
                    .PerDefect.Select(
                        (defect, i) =>
                            defect with
                            {
                                Images = Combine([.. reports.Select(report => report.PerDefect[i].Images)], one),
                                Pixels = Combine([.. reports.Select(report => report.PerDefect[i].Pixels)], one),
                            }
                    ),
            ]
        );

    private static ImageMetrics Combine(ImageMetrics[] of, Func<double[], double> one) =>
        new(
            one([.. of.Select(m => m.Auroc)]),
            one([.. of.Select(m => m.AveragePrecision)]),
            one([.. of.Select(m => m.F1Max)]),
            one([.. of.Select(m => m.F1MaxThreshold)])
        );

    private static PixelMetrics Combine(PixelMetrics[] of, Func<double[], double> one) =>
        new(
            one([.. of.Select(m => m.Auroc)]),
            one([.. of.Select(m => m.AuPro30)]),
            one([.. of.Select(m => m.AuPro05)])
        );
}
