using System.Diagnostics;
using System.Globalization;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Engine.Evaluation;

namespace PaDiM.Cli.Evaluation;

/// <summary>
/// Reports the progress of a whole evaluation: to the progress bar of a terminal at every step, or else as one line on
/// standard error per finished category.
/// </summary>
/// <param name="images">The images to fit and score, over all categories and seeds.</param>
/// <param name="fits">The number of fits to do.</param>
/// <param name="show">Updates the progress bar with the share of the whole and the stage.</param>
internal sealed class EvaluationProgress(long images, int fits, Action<double, string> show)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _done,
        _current;
    private int _finished;
    private string _name = "";

    /// <summary>Starts a fit of a category.</summary>
    public void Start(DatasetCategory category, string title)
    {
        _current = CountImages(category);
        _name = title;
    }

    /// <summary>Reports the progress of the fit, 0 to 1, and its stage.</summary>
    public void Report(double share, string stage) => show((_done + share * _current) / images, $"{_name}: {stage}");

    /// <summary>Ends the fit, once its model is measured.</summary>
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
                $"{_name} ({_finished} of {fits}): image AUROC {report.Images.Auroc:f4}, "
                    + $"pixel AUROC {report.Pixels.Auroc:f4}; {Format(_clock.Elapsed)} elapsed, "
                    + $"about {Format(left)} left"
            )
        );
    }

    /// <summary>Counts the images of a category, the measure of its work.</summary>
    public static long CountImages(DatasetCategory category) => category.Training.Count + category.Testing.Count;

    private static string Format(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time:mm\\:ss}");
}
