using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Backbones;

public sealed class QuantizeCommandTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public QuantizeCommandTests() => FittedModel.Write(_folder.Combine("parts"), 0, 12);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_variant_is_written_and_can_be_fitted_with()
    {
        var ran = Padim
            .Run(
                "backbones",
                "quantize",
                "tiny",
                "--images",
                _folder.Combine("parts"),
                "--out",
                _folder.Combine("made")
            )
            .Succeeded();
        Assert.Contains("stride16", ran.Output, StringComparison.Ordinal);
        Assert.Equal(
            [".lock", "tiny-int8.json", "tiny-int8.onnx"],
            Directory
                .EnumerateFileSystemEntries(_folder.Combine("made"))
                .Select(Path.GetFileName)
                .Order(StringComparer.Ordinal)
        );
        var manifest = JsonNode.Parse(File.ReadAllText(_folder.Combine("made", "tiny-int8.json")))!;
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_folder.Combine("made", "tiny-int8.onnx")))),
            manifest["sha256"]!.GetValue<string>()
        );
        Assert.Equal("tiny", manifest["quantisation"]!["of"]!.GetValue<string>());
        // Renamed, because the program's own variant has this name.
        foreach (var extension in new[] { "onnx", "json" })
            File.Move(_folder.Combine("made", $"tiny-int8.{extension}"), _folder.Combine("made", $"mine.{extension}"));
        Padim
            .Run(
                "fit",
                _folder.Combine("parts"),
                "--out",
                _folder.Combine("m"),
                "--backbones",
                _folder.Combine("made"),
                "--backbone",
                "mine",
                "--image-size",
                "64"
            )
            .Succeeded();
    }

    [Fact]
    public void A_variant_with_other_bytes_is_not_replaced_without_force()
    {
        Directory.CreateDirectory(_folder.Combine("made"));
        File.WriteAllText(_folder.Combine("made", "tiny-int8.onnx"), "another");
        string[] quantize =
        [
            "backbones",
            "quantize",
            "tiny",
            "--images",
            _folder.Combine("parts"),
            "--out",
            _folder.Combine("made"),
        ];
        Assert.Contains("--force", Padim.Run(quantize).Failed(1), StringComparison.Ordinal);
        Assert.Equal("another", File.ReadAllText(_folder.Combine("made", "tiny-int8.onnx")));
        Assert.False(File.Exists(_folder.Combine("made", "tiny-int8.json")));
        Padim.Run([.. quantize, "--force"]).Succeeded();
        Assert.NotEqual("another", File.ReadAllText(_folder.Combine("made", "tiny-int8.onnx")));
        Padim.Run(quantize).Succeeded();
    }

    [Fact]
    public void A_backbone_that_cannot_be_quantised_fails_and_leaves_no_file()
    {
        Assert.Contains(
            "'nothere'",
            Padim
                .Run(
                    "backbones",
                    "quantize",
                    "nothere",
                    "--images",
                    _folder.Combine("parts"),
                    "--out",
                    _folder.Combine("made")
                )
                .Failed(1),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "nofolder",
            Padim
                .Run(
                    "backbones",
                    "quantize",
                    "tiny",
                    "--images",
                    _folder.Combine("nofolder"),
                    "--out",
                    _folder.Combine("made")
                )
                .Failed(1),
            StringComparison.Ordinal
        );
        File.WriteAllText(_folder.Combine("parts", "broken.png"), "not an image");
        Assert.Contains(
            "broken.png",
            Padim
                .Run(
                    "backbones",
                    "quantize",
                    "tiny",
                    "--images",
                    _folder.Combine("parts"),
                    "--out",
                    _folder.Combine("made")
                )
                .Failed(1),
            StringComparison.Ordinal
        );
        Assert.False(Directory.Exists(_folder.Combine("made")));
    }

    [Fact]
    public void A_variant_is_not_quantised_again()
    {
        Padim.Run("backbones", "quantize", "tiny-int8", "--images", _folder.Combine("parts")).Failed(2);
        Directory.CreateDirectory(_folder.Combine("more"));
        File.Copy(
            Path.Combine(AppContext.BaseDirectory, "backbones", "tiny-int8.onnx"),
            _folder.Combine("more", "renamed.onnx")
        );
        Assert.Contains(
            "integer layers already",
            Padim
                .Run(
                    "backbones",
                    "quantize",
                    "renamed",
                    "--backbones",
                    _folder.Combine("more"),
                    "--images",
                    _folder.Combine("parts"),
                    "--out",
                    _folder.Combine("made")
                )
                .Failed(1),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("backbones")]
    [InlineData("backbones quantize")]
    [InlineData("backbones quantize tiny")]
    [InlineData("backbones quantize tiny --images parts --bits 4")]
    public void Wrong_usage_exits_with_2(string arguments) => Padim.Run(arguments.Split(' ')).Failed(2);
}
