using System.Text.Json;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Evaluation;

public sealed class EvaluateCommandTests
{
    [Fact]
    public void Good_sample_parts_are_separated_from_defective_ones()
    {
        using var folder = new TempDirectory();
        Padim.Run("samples", folder.Combine("flange"), "--size", "128").Succeeded();

        var row = JsonDocument
            .Parse(Assert.Single(Padim.Run("evaluate", folder.Path, "--json").Succeeded().Lines))
            .RootElement;
        Assert.Equal("flange", row.GetProperty("category").GetString());
        var report = row.GetProperty("report");
        Assert.True(report.GetProperty("images").GetProperty("auroc").GetDouble() > 0.95);
        Assert.True(report.GetProperty("pixels").GetProperty("auroc").GetDouble() > 0.95);
        Assert.Equal(
            ["dent", "scratch", "stain"],
            report.GetProperty("perDefect").EnumerateArray().Select(defect => defect.GetProperty("defect").GetString())
        );
        var confusion = report.GetProperty("confusionAtThreshold");
        Assert.Equal(
            20,
            new[] { "truePositives", "falsePositives", "trueNegatives", "falseNegatives" }.Sum(name =>
                confusion.GetProperty(name).GetInt32()
            )
        );
    }

    [Fact]
    public void A_table_has_one_row_per_category_and_defect_and_the_mean()
    {
        using var folder = new TempDirectory();
        Padim.Run("samples", folder.Combine("carpet"), "--size", "64").Succeeded();
        Padim.Run("samples", folder.Combine("bolt"), "--size", "64").Succeeded();
        var lines = Padim.Run("evaluate", folder.Path, "--dimensions", "20").Succeeded().Lines;
        Assert.Equal(
            ["bolt", "- dent", "- scratch", "- stain", "carpet", "- dent", "- scratch", "- stain", "mean"],
            lines.Where(line => line.StartsWith('|')).Skip(2).Select(line => line.Split('|')[1].Trim())
        );
    }

    [Fact]
    public void A_folder_without_categories_and_a_missing_category_are_failures()
    {
        using var folder = new TempDirectory();
        Assert.Contains("has no category", Padim.Run("evaluate", folder.Path).Failed(1), StringComparison.Ordinal);
        Directory.CreateDirectory(folder.Combine("bolt", "train", "good"));
        Directory.CreateDirectory(folder.Combine("bolt", "test"));
        Assert.Contains(
            "no category nut",
            Padim.Run("evaluate", folder.Path, "--category", "nut").Failed(1),
            StringComparison.Ordinal
        );
    }
}
