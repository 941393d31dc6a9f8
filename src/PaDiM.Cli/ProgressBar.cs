using Spectre.Console;

namespace PaDiM.Cli;

/// <summary>
/// Shows long work on a terminal: a bar with the stage and the time left, on standard error; silent where that is no
/// terminal.
/// </summary>
internal static class ProgressBar
{
    private static readonly IAnsiConsole Console = AnsiConsole.Create(
        new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Error) }
    );

    /// <summary>Runs work on another thread.</summary>
    /// <param name="title">What is being done.</param>
    /// <param name="work">Is given a way to tell its progress (0 to 1) and its stage.</param>
    /// <param name="stop">Stops waiting for a thread.</param>
    public static Task<T> RunAsync<T>(string title, Func<Action<double, string>, T> work, CancellationToken stop) =>
        RunAsync(title, progress => Task.FromResult(work(progress)), stop);

    /// <summary>Runs work that waits for others.</summary>
    /// <param name="title">What is being done.</param>
    /// <param name="work">Is given a way to tell its progress (0 to 1) and its stage.</param>
    /// <param name="stop">Stops waiting for a thread.</param>
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
}
