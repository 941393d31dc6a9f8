using System.Text.Json;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests;

public sealed class SamplesCommandTests
{
    [Fact]
    public void Samples_can_be_fitted_and_their_defects_found()
    {
        using var folder = new TempDirectory();
        Padim.Run("samples", folder.Path, "--size", "96").Succeeded();
        Padim
            .Run(
                "fit",
                folder.Combine("train", "good"),
                "--out",
                folder.Combine("m"),
                "--image-size",
                "96",
                "--dimensions",
                "40"
            )
            .Succeeded();
        var lines = Padim
            .Run("score", folder.Combine("m"), folder.Combine("test"), "--json", "--false-reject-rate", "0.05")
            .Succeeded()
            .Lines.Select(line => JsonDocument.Parse(line).RootElement);
        var kinds = lines.GroupBy(line =>
            Path.GetFileName(Path.GetDirectoryName(line.GetProperty("image").GetString()))
        );
        foreach (var kind in kinds)
        {
            var anomalous = kind.Count(line => line.GetProperty("decision").GetString() == "anomalous");
            if (kind.Key == "good")
                Assert.InRange(anomalous, 0, 2);
            else
                Assert.InRange(anomalous, 3, 5);
        }
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_fails_with_one_sentence()
    {
        using var folder = new TempDirectory();
        File.WriteAllText(folder.Combine("taken"), "");
        Padim.Run("samples", folder.Combine("taken"), "--size", "64").Failed(1);
    }
}
