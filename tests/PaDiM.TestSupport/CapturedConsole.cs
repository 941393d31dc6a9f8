using System.Text;

namespace PaDiM.TestSupport;

/// <summary>
/// Runs a program's entry point in this process, and captures what it prints: a start costs nothing, where a
/// process compiles everything again. Runs side by side get their own lines.
/// </summary>
public static class CapturedConsole
{
    private static readonly AsyncLocal<(StringWriter Output, StringWriter Error)?> Current = new();
    private static readonly Lock Installing = new();
    private static bool _installed;

    /// <summary>Runs it on a thread of the pool, and returns its exit code and all that it printed.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(Func<Task<int>> program)
    {
        Install();
        var (output, error) = (new StringWriter(), new StringWriter());
        // Set for this run and whatever it starts: the caller's value returns with the end of this method.
        Current.Value = (output, error);
        var exitCode = await Task.Run(program);
        return (exitCode, output.ToString(), error.ToString());
    }

    private static void Install()
    {
        lock (Installing)
        {
            if (_installed)
                return;
            Console.SetOut(new Router(Console.Out, static captured => captured.Output));
            Console.SetError(new Router(Console.Error, static captured => captured.Error));
            _installed = true;
        }
    }

    /// <summary>Writes to the run that prints, which flows with its tasks, or else to the console of before.</summary>
    private sealed class Router(
        TextWriter console,
        Func<(StringWriter Output, StringWriter Error), StringWriter> choose
    ) : TextWriter
    {
        public override Encoding Encoding => console.Encoding;

        private TextWriter Target => Current.Value is { } captured ? choose(captured) : console;

        public override void Write(char value) => Target.Write(value);

        public override void Write(char[] buffer, int index, int count) => Target.Write(buffer, index, count);

        public override void Write(ReadOnlySpan<char> buffer) => Target.Write(buffer);

        public override void Write(string? value) => Target.Write(value);

        public override void WriteLine() => Target.WriteLine();

        public override void WriteLine(string? value) => Target.WriteLine(value);

        public override void Flush() => Target.Flush();
    }
}
