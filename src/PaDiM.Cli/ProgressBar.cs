using Spectre.Console;

namespace PaDiM.Cli;

/// <summary>
/// Shows a progress bar with the stage and the time left on standard error. Shows nothing if that is not a terminal.
/// </summary>
internal static class ProgressBar
{
    private static readonly IAnsiConsole Console = CreateConsole();

    /// <summary>Runs synchronous work on another thread.</summary>
    /// <param name="title">The title of the work.</param>
    /// <param name="work">The work; it receives a callback for its progress (0 to 1) and its stage.</param>
    /// <param name="stop">Cancels waiting for a thread.</param>
    public static Task<T> RunAsync<T>(string title, Func<Action<double, string>, T> work, CancellationToken stop) =>
        RunAsync(title, progress => Task.FromResult(work(progress)), stop);

    /// <summary>Runs asynchronous work on another thread.</summary>
    /// <param name="title">The title of the work.</param>
    /// <param name="work">The work; it receives a callback for its progress (0 to 1) and its stage.</param>
    /// <param name="stop">Cancels waiting for a thread.</param>
    public static Task<T> RunAsync<T>(string title, Func<Action<double, string>, Task<T>> work, CancellationToken stop)
    {
        if (System.Console.IsErrorRedirected)
            return Task.Run(() => work((_, _) => { }), stop);
        return Console
            .Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .StartAsync(context =>
            {
                var bar = context.AddTask(title, maxValue: 1);
                return Task.Run(
                    () => work((progress, stage) => (bar.Value, bar.Description) = (progress, $"{title}: {stage}")),
                    stop
                );
            });
    }

    private static IAnsiConsole CreateConsole()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Error) });
        Colours.ApplyToProgress(console);
        return console;
    }
}
