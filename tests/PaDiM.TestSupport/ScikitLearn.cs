using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace PaDiM.TestSupport;

/// <summary>
/// The distribution's own scikit-learn as an independent implementation to compare with. Tests that need it skip, visibly, where it is absent:
/// <code>Assert.SkipUnless(ScikitLearn.IsPresent, ScikitLearn.Missing);</code>
/// </summary>
public static class ScikitLearn
{
    /// <summary>
    /// The system's Python, which is the one that the package is installed for; another may come first on the path.
    /// </summary>
    private const string Python = "/usr/bin/python3";

    /// <summary>
    /// Reads the input and prints what the script leaves in <c>result</c>, with every digit of a double.
    /// </summary>
    private const string Frame = """
        import json, sys
        import numpy as np
        given = json.load(sys.stdin)
        {0}
        print(json.dumps([float(value) for value in np.ravel(result)]))
        """;

    private static readonly Lazy<bool> Present = new(() =>
        File.Exists(Python) && Execute("import sklearn", "").ExitCode == 0
    );

    /// <summary>Whether it can be run here.</summary>
    public static bool IsPresent => Present.Value;

    /// <summary>Why a test that needs it is skipped.</summary>
    public static string Missing =>
        $"scikit-learn is absent: install the package python3-sklearn, so that `{Python} -c 'import sklearn'` succeeds.";

    /// <summary>Runs a script in a process of its own.</summary>
    /// <param name="script">Python at the left margin; finds the input in <c>given</c> and numpy as <c>np</c>, leaves
    /// numbers of any shape in <c>result</c>.</param>
    /// <param name="input">Anything that JSON can say; names become keys as they are.</param>
    /// <returns>The numbers, row-major.</returns>
    /// <exception cref="InvalidOperationException">The script failed; the message is what it wrote to the error
    /// stream.</exception>
    public static double[] Run(string script, object input)
    {
        var (exitCode, output, error) = Execute(
            Frame.Replace("{0}", script, StringComparison.Ordinal),
            JsonSerializer.Serialize(input)
        );
        if (exitCode != 0)
            throw new InvalidOperationException(error);
        // JSON has no NaN; Python writes it all the same.
        return
        [
            .. output
                .Trim()
                .Trim('[', ']')
                .Split(", ")
                .Select(number => double.Parse(number, System.Globalization.CultureInfo.InvariantCulture)),
        ];
    }

    private static (int ExitCode, string Output, string Error) Execute(string script, string input)
    {
        using var process =
            Process.Start(
                new ProcessStartInfo(Python, ["-c", script])
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            ) ?? throw new Win32Exception($"{Python} did not start.");
        // Both at once: a process whose full error stream nobody reads never ends.
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read all; its exit code tells why.
        }
        process.WaitForExit();
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
