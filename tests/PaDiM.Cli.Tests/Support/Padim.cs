using System.Diagnostics;
using System.Reflection;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Support;

/// <summary>Represents the result of a run of the program.</summary>
/// <param name="ExitCode">0, 1 or 2.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record Ran(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Asserts that the run failed with a code, and one sentence instead of a stack trace.</summary>
    public string Failed(int code)
    {
        Assert.True(code == ExitCode, $"{ExitCode}: {Output}{Error}");
        Assert.NotEqual("", Error.Trim());
        Assert.DoesNotContain("   at ", Output + Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", Output + Error, StringComparison.OrdinalIgnoreCase);
        if (code == 1)
            Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return Error;
    }

    public Ran Succeeded()
    {
        Assert.True(ExitCode == 0, $"{ExitCode}: {Output}{Error}");
        return this;
    }
}

/// <summary>
/// Runs the built program: its entry point in this process, or the whole as a process of its own. A process takes a
/// second of processor time before it has read its arguments.
/// </summary>
internal static class Padim
{
    private static readonly MethodInfo EntryPoint = typeof(FitCommand).Assembly.EntryPoint!;

    private static readonly string Program = Path.Combine(
        AppContext.BaseDirectory,
        OperatingSystem.IsWindows() ? "padim.exe" : "padim"
    );

    /// <summary>
    /// Runs it in this process; where a terminal is attached, to which it prints in another way, in one of its own.
    /// </summary>
    public static Ran Run(params string[] arguments)
    {
        if (!Console.IsOutputRedirected || !Console.IsErrorRedirected)
            return RunProcess(arguments);
        var (exitCode, output, error) = CapturedConsole
            .RunAsync(() => Task.FromResult((int)EntryPoint.Invoke(null, [arguments])!))
            .GetAwaiter()
            .GetResult();
        return new Ran(exitCode, output, error);
    }

    /// <summary>Runs it as a process of its own.</summary>
    public static Ran RunProcess(params string[] arguments)
    {
        using var process = Start(arguments);
        return End(process);
    }

    /// <summary>Runs it as a process of its own, with an environment variable.</summary>
    public static Ran RunWith(string variable, string value, params string[] arguments)
    {
        var start = Describe(arguments);
        start.Environment[variable] = value;
        using var process = Process.Start(start)!;
        return End(process);
    }

    /// <summary>Starts it; the caller may end it in any way.</summary>
    public static Process Start(params string[] arguments) => Process.Start(Describe(arguments))!;

    /// <summary>Waits for the end of a started program.</summary>
    public static Ran End(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Ran(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>
    /// Compiles quickly first: small data sets are done before loops that are compiled well have paid. What is computed
    /// is the same.
    /// </summary>
    public static ProcessStartInfo Describe(string[] arguments) =>
        new(Program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_TC_QuickJitForLoops"] = "1", ["DOTNET_TieredPGO"] = "0" },
        };
}
