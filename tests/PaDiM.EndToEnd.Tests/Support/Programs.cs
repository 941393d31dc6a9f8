using System.Diagnostics;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>Runs programs to their end.</summary>
internal static class Programs
{
    private const string Configuration =
#if DEBUG
        "Debug";
#else
        "Release";
#endif
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Runs a command of the SDK on a project of the repository, in the configuration of the tests.</summary>
    public static Task<string> BuildAsync(string command, string project, params string[] arguments) =>
        RunAsync(
            // Build servers would outlive the command and keep its pipes open.
            new ProcessStartInfo(
                "dotnet",
                [
                    command,
                    Path.Combine(PublishedService.Repository, "src", project),
                    "-c",
                    Configuration,
                    .. arguments,
                    "-nodeReuse:false",
                    "--nologo",
                ]
            )
        );

    /// <summary>Runs a program, and gets what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has what it printed.</exception>
    public static async Task<string> RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        // A test run that MSBuild started tells its children where MSBuild lies, which is not always where theirs does.
        foreach (
            var name in start
                .Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
                .ToArray()
        )
            start.Environment.Remove(name);
        using var limit = new CancellationTokenSource(Limit);
        using var running = Process.Start(start)!;
        var output = running.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = running.StandardError.ReadToEndAsync(limit.Token);
        await running.WaitForExitAsync(limit.Token);
        return running.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{start.FileName} {string.Join(' ', start.ArgumentList)} failed:\n{await output}{await errors}"
            );
    }
}
