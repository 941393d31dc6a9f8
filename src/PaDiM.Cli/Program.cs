using System.CommandLine;
using System.Runtime.InteropServices;
using PaDiM.Cli;
using PaDiM.Cli.Backbones;
using PaDiM.Cli.Evaluation;
using PaDiM.Cli.Watch;
using Spectre.Console;

var root = new RootCommand("PaDiM anomaly detection over folders of images, without a server.")
{
    FitCommand.Create(),
    ScoreCommand.Create(),
    ExportCommand.Create(),
    EvaluateCommand.Create(),
    SamplesCommand.Create(),
    BackbonesCommand.Create(),
    WatchCommand.Create(),
    CompletionCommand.Create(),
};
foreach (var command in ServiceCommands.Create())
    root.Add(command);
Colours.Apply(AnsiConsole.Console);
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    await parsed.InvokeAsync();
    return ExitCode.WrongUsage;
}

// In a file or a pipe, the line of an image must stay one line, however long its path is.
if (Console.IsOutputRedirected)
    AnsiConsole.Profile.Width = short.MaxValue;
using var stop = new CancellationTokenSource();

// Ctrl-C, and the signal that a shutdown or a scheduler sends.
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, stop.Token);
}
catch (Exception e) when (Failures.GetMessage(e) is { } sentence)
{
    await Console.Error.WriteLineAsync($"padim: {sentence}");
    return ExitCode.Failure;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
