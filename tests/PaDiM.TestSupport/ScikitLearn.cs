using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace PaDiM.TestSupport;

/// <summary>
/// The distribution's own scikit-learn as an independent implementation to compare with. Tests that need it skip,
/// visibly, where it is absent:
/// <code>Assert.SkipUnless(ScikitLearn.IsPresent, ScikitLearn.Missing);</code>
/// One interpreter answers all tests of a process: importing scikit-learn costs a second and more.
/// </summary>
public static class ScikitLearn
{
    /// <summary>
    /// The system's Python, which is the one that the package is installed for; another may come first on the path.
    /// </summary>
    private const string Python = "/usr/bin/python3";

    /// <summary>
    /// Runs one script per line of input, each in names of its own, and answers with what it leaves in <c>result</c>,
    /// with every digit of a double. Numbers go as text, because JSON has no NaN. Ends with its input.
    /// </summary>
    private const string Loop = """
        import json, sys, traceback
        import numpy as np
        import sklearn
        print(json.dumps({"version": sklearn.__version__}), flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            names = {"np": np, "given": asked["input"]}
            try:
                exec(asked["script"], names)
                answer = {"result": [json.dumps(float(value)) for value in np.ravel(names["result"])]}
            except Exception:
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer), flush=True)
        """;

    private static readonly Lock Turn = new();
    private static readonly Lazy<Process?> Interpreter = new(Start);

    /// <summary>Whether it can be run here.</summary>
    public static bool IsPresent => Interpreter.Value is not null;

    /// <summary>Why a test that needs it is skipped.</summary>
    public static string Missing =>
        "scikit-learn is absent: install the package python3-sklearn, so that "
        + $"`{Python} -c 'import sklearn'` succeeds.";

    /// <summary>Runs a script.</summary>
    /// <param name="script">Python at the left margin; finds the input in <c>given</c> and numpy as <c>np</c>, leaves
    /// numbers of any shape in <c>result</c>.</param>
    /// <param name="input">Anything that JSON can say; names become keys as they are.</param>
    /// <returns>The numbers, row-major.</returns>
    /// <exception cref="InvalidOperationException">The script failed; the message has Python's traceback.</exception>
    public static double[] Run(string script, object input)
    {
        var interpreter = Interpreter.Value ?? throw new InvalidOperationException(Missing);
        string? line;
        lock (Turn)
        {
            interpreter.StandardInput.WriteLine(JsonSerializer.Serialize(new { script, input }));
            interpreter.StandardInput.Flush();
            line = interpreter.StandardOutput.ReadLine();
        }
        using var answer = JsonDocument.Parse(line ?? throw new InvalidOperationException("Python has ended."));
        if (answer.RootElement.TryGetProperty("error", out var error))
            throw new InvalidOperationException(error.GetString());
        return
        [
            .. answer
                .RootElement.GetProperty("result")
                .EnumerateArray()
                .Select(number => double.Parse(number.GetString()!, CultureInfo.InvariantCulture)),
        ];
    }

    private static Process? Start()
    {
        if (!File.Exists(Python))
            return null;
        var process = Process.Start(
            new ProcessStartInfo(Python, ["-c", Loop])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        // A full error stream that nothing reads would stop it.
        process.BeginErrorReadLine();
        return process.StandardOutput.ReadLine() is null ? null : process;
    }
}
