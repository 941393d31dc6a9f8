using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests;

public sealed class ExportCommandTests(FittedModel model) : IClassFixture<FittedModel>
{
    [Fact]
    public void A_model_becomes_one_onnx_file_with_metadata()
    {
        using var folder = new TempDirectory();
        var path = folder.Combine("deep", "part.onnx");
        var ran = Padim.Run("export", model.File, "--format", "onnx", "--out", path).Succeeded();
        Assert.Contains("threshold", ran.Output, StringComparison.Ordinal);
        // ONNX starts with its version; the tests of the exporter check the rest.
        var bytes = File.ReadAllBytes(path);
        Assert.Equal(8, bytes[0]);
        Assert.True(bytes.AsSpan().IndexOf("padim-onnx/1"u8) > 0);
        Assert.Equal([path], Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories));
        // Another rate gives another threshold; the same rate gives the same bytes.
        Padim.Run("export", model.File, "-o", folder.Combine("again.onnx")).Succeeded();
        Assert.Equal(bytes, File.ReadAllBytes(folder.Combine("again.onnx")));
        Padim.Run("export", model.File, "-o", folder.Combine("strict.onnx"), "--false-reject-rate", "0.5").Succeeded();
        Assert.NotEqual(bytes, File.ReadAllBytes(folder.Combine("strict.onnx")));
    }

    [Fact]
    public void A_model_that_cannot_be_exported_fails_and_leaves_no_file()
    {
        using var folder = new TempDirectory();
        Assert.Contains(
            "nothere",
            Padim.Run("export", "nothere.safetensors", "--out", folder.Combine("m.onnx")).Failed(1),
            StringComparison.Ordinal
        );
        Padim
            .Run(
                "fit",
                model.GoodParts,
                "--out",
                folder.Combine("aligned.safetensors"),
                "--image-size",
                "64",
                "--dimensions",
                "30",
                "--alignment",
                "rigid"
            )
            .Succeeded();
        Assert.Contains(
            "align",
            Padim.Run("export", folder.Combine("aligned.safetensors"), "--out", folder.Combine("m.onnx")).Failed(1),
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(folder.Combine("m.onnx")));
    }
}
