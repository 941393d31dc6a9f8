using System.Text.Json;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Evaluation;

public sealed class ReportTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    [Fact]
    public void Reports_match_standard_output()
    {
        TinyDataset.WriteMvtec(_folder.Combine("root", "bolt"));
        TinyDataset.WriteMvtec(_folder.Combine("root", "tile"));
        var markdown = _folder.Combine("out", "results.md");
        var json = _folder.Combine("out", "results.json");
        var table = Evaluate("--report", markdown, "--report", json).Output;
        var text = File.ReadAllText(markdown);
        Assert.EndsWith(table, text, StringComparison.Ordinal);
        Assert.Contains("Backbone tiny", text, StringComparison.Ordinal);
        Assert.Contains("seed 1024", text, StringComparison.Ordinal);
        Assert.Equal(
            Evaluate("--json").Lines,
            JsonDocument.Parse(File.ReadAllBytes(json)).RootElement.EnumerateArray().Select(row => row.GetRawText())
        );
        Assert.Equal(2, Directory.EnumerateFileSystemEntries(_folder.Combine("out")).Count());
        Assert.Equal(["bolt", "- dent", "tile", "- dent", "mean"], Rows(table).Select(row => row[0]));
    }

    [Fact]
    public void Several_seeds_give_a_mean_and_its_spread()
    {
        TinyDataset.WriteMvtec(_folder.Combine("root", "bolt"));
        Assert.All(Rows(Evaluate("--repeats", "2").Output), row => Assert.Matches(@"^\d\.\d{4} ± \d\.\d{4}$", row[5]));
    }

    [Fact]
    public void An_undefined_figure_is_a_dash_or_null()
    {
        TinyDataset.WriteMvtec(_folder.Combine("root", "bolt"), masks: false);
        Assert.All(Rows(Evaluate().Output), row => Assert.Equal(["–", "–", "–"], row[5..8]));
        var report = JsonDocument.Parse(Assert.Single(Evaluate("--json").Lines)).RootElement.GetProperty("report");
        Assert.Equal(JsonValueKind.Null, report.GetProperty("pixels").GetProperty("auroc").ValueKind);
        Assert.Equal(JsonValueKind.Number, report.GetProperty("images").GetProperty("auroc").ValueKind);
    }

    [Fact]
    public void One_line_per_category_reports_the_time_elapsed_and_left()
    {
        TinyDataset.WriteMvtec(_folder.Combine("root", "bolt"));
        TinyDataset.WriteMvtec(_folder.Combine("root", "tile"));
        var lines = Evaluate().Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Matches(@"^bolt \(1 of 2\): image AUROC .* \d+:\d\d:\d\d elapsed, about \d+:\d\d:\d\d left", lines[0]);
        Assert.Matches(@"^tile \(2 of 2\): .* about 0:00:00 left", lines[1]);
    }

    [Fact]
    public void A_missing_layout_is_a_failure()
    {
        TinyDataset.WriteMvtec(_folder.Combine("root", "bolt"));
        Assert.Contains(
            "has no category",
            Padim.Run("evaluate", _folder.Combine("root"), "--layout", "stc").Failed(1),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "training/frames",
            Padim.Run("evaluate", _folder.Combine("nowhere")).Failed(1),
            StringComparison.Ordinal
        );
    }

    public void Dispose() => _folder.Dispose();

    private Ran Evaluate(params string[] more) =>
        Padim
            .Run([
                "evaluate",
                _folder.Combine("root"),
                "--state",
                _folder.Combine("state"),
                .. TinyDataset.Quick,
                .. more,
            ])
            .Succeeded();

    /// <summary>Gets the cells of a table's rows below its header.</summary>
    private static string[][] Rows(string table) =>
        [
            .. table
                .Split('\n')
                .Where(line => line.StartsWith('|'))
                .Skip(2)
                .Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]),
        ];
}
