using System.Diagnostics;
using PaDiM.Cli.Tests.Support;

namespace PaDiM.Cli.Tests;

/// <summary>Colours are for terminals: <c>NO_COLOR</c> takes them away, and <c>CLICOLOR_FORCE</c> gives them to pipes.</summary>
public sealed class ColourTests(FittedModel model) : IClassFixture<FittedModel>
{
    private const string Escape = "\e[";

    [Theory]
    [InlineData(false, "", "", false)]
    [InlineData(false, "", "1", true)]
    [InlineData(false, "", "0", false)]
    [InlineData(false, "1", "1", false)]
    [InlineData(true, "", "", true)]
    [InlineData(true, "1", "", false)]
    [InlineData(true, "1", "1", false)]
    public void Results_are_coloured_where_they_may_be(bool inTerminal, string refused, string forced, bool expected)
    {
        string[] arguments = ["score", model.File, Path.Combine(model.GoodParts, "part000.bmp")];
        var ran = Run(inTerminal, refused, forced, arguments);
        Assert.Contains("threshold", ran.Output, StringComparison.Ordinal);
        Assert.Equal(expected, ran.Output.Contains(Escape + "3", StringComparison.Ordinal));
        Assert.DoesNotContain(Escape, ran.Error, StringComparison.Ordinal);
        if (!inTerminal && !expected)
            Assert.DoesNotContain("\e", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_usage_in_a_terminal_has_no_colours_with_NO_COLOR()
    {
        var ran = Run(inTerminal: true, "1", "", ["fit"]);
        Assert.Equal(2, ran.ExitCode);
        Assert.DoesNotContain(Escape + "3", ran.Output, StringComparison.Ordinal);
    }

    private static Ran Run(bool inTerminal, string refused, string forced, string[] arguments)
    {
        var start = Padim.Describe(arguments);
        if (inTerminal)
        {
            Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no program that gives a terminal.");
            var line = string.Join(' ', arguments.Prepend(start.FileName).Select(word => $"'{word}'"));
            start.FileName = "/usr/bin/script";
            start.ArgumentList.Clear();
            foreach (var argument in new[] { "-qec", line, "/dev/null" })
                start.ArgumentList.Add(argument);
            start.RedirectStandardInput = true;
        }
        start.Environment["TERM"] = "xterm-256color";
        start.Environment.Remove("NO_COLOR");
        if (refused.Length > 0)
            start.Environment["NO_COLOR"] = refused;
        start.Environment["CLICOLOR_FORCE"] = forced;
        using var process = Process.Start(start)!;
        if (inTerminal)
            process.StandardInput.Close();
        return Padim.End(process);
    }
}
