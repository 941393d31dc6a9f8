using PaDiM.TestSupport;

namespace PaDiM.Service.TestSupport;

/// <summary>
/// The program's commands, such as <c>keys</c>, and starts that fail: its entry point in this process, which has
/// compiled it already. See <see cref="ServiceProcess.RunAsync"/> for a process of its own.
/// </summary>
internal static class ServiceCommand
{
    /// <summary>Runs a command to its end.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        CapturedConsole.RunAsync(() => Program.Main(arguments));

    /// <summary>Runs a command to its end, and gives its output without white space around it.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunTrimmedAsync(params string[] arguments)
    {
        var (exitCode, output, error) = await RunAsync(arguments);
        return (exitCode, output.Trim(), error.Trim());
    }

    /// <summary>Starts a service that must refuse its settings, and gives its exit code and what it said.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RefusedAsync(
        string dataDirectory,
        params (string Option, object Value)[] options
    ) =>
        RunAsync([
                "--urls=http://127.0.0.1:0",
                $"--Padim:DataDirectory={dataDirectory}",
                .. options.Select(option => FormattableString.Invariant($"--Padim:{option.Option}={option.Value}")),
            ])
            .WaitAsync(TimeSpan.FromSeconds(60));
}
