using System.Diagnostics;
using System.Globalization;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Engine.Evaluation;

namespace PaDiM.Cli.Evaluation;

/// <summary>
/// Tells how far a whole evaluation is: to the bar of a terminal at every step, or else by a line on standard error for
/// each category that is done.
/// </summary>
/// <param name="images">Images that are to be fitted and scored, over all categories and seeds.</param>
/// <param name="fits">Fits that are to be made.</param>
/// <param name="show">The bar: share of the whole, and stage.</param>
internal sealed class EvaluationProgress(long images, int fits, Action<double, string> show)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _done,
        _current;
    private int _finished;
    private string _name = "";

    /// <summary>A fit of a category begins.</summary>
    public void Start(DatasetCategory category, string title)
    {
        _current = CountImages(category);
        _name = title;
    }

    /// <summary>How far it has come, 0 to 1, and what is being done.</summary>
    public void Report(double share, string stage) => show((_done + share * _current) / images, $"{_name}: {stage}");

    /// <summary>It is measured.</summary>
    public void Finish(EvaluationReport report)
    {
        _done = _done + _current;
        _finished = _finished + 1;
        if (!Console.IsErrorRedirected)
            return;
        var left = _clock.Elapsed * ((double)(images - _done) / _done);
        Console.Error.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{_name} ({_finished} of {fits}): image AUROC {report.Images.Auroc:f4}, pixel AUROC {report.Pixels.Auroc:f4}; {Format(_clock.Elapsed)} gone, about {Format(left)} left"
            )
        );
    }

    /// <summary>The work that a category is.</summary>
    public static long CountImages(DatasetCategory category) => category.Training.Count + category.Testing.Count;

    private static string Format(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time:mm\\:ss}");
}
