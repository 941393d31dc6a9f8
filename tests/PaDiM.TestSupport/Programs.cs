using System.Diagnostics;

namespace PaDiM.TestSupport;

/// <summary>Runs programs to their end.</summary>
public static class Programs
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Runs a program, and gets what it printed to standard output.</summary>
    /// <param name="start">The program.</param>
    /// <param name="input">What it reads from standard input; null for that of the tests.</param>
    /// <exception cref="InvalidOperationException">It failed; the message has what it printed.</exception>
    public static async Task<string> RunAsync(ProcessStartInfo start, string? input = null)
    {
        start.RedirectStandardInput = input is not null;
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
        if (input is not null)
        {
            await running.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            running.StandardInput.Close();
        }
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
