using System.CommandLine;
using PaDiM.Cli;
using PaDiM.Cli.Evaluation;
using Spectre.Console;

var root = new RootCommand("PaDiM anomaly detection over folders of images, without a server.") { FitCommand.Create(), ScoreCommand.Create(), EvaluateCommand.Create(), SamplesCommand.Create() };
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    await parsed.InvokeAsync();
    return ExitCode.WrongUsage;
}
// A file or another program wants an image's line as one line, however long its path is.
if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = short.MaxValue;
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, stop.Token);
}
catch (Exception e) when (Failures.Explain(e) is { } sentence)
{
    await Console.Error.WriteLineAsync($"padim: {sentence}");
    return ExitCode.Failure;
}
