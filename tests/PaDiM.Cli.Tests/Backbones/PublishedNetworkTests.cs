using System.Reflection;
using System.Text.Json.Nodes;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Backbones;

/// <summary>
/// The ResNet-18 in the package Microsoft.ML.DnnImageFeaturizer.ResNet18, from the folder of restored packages to a
/// score: the commands of docs/backbones.md.
/// </summary>
public sealed class PublishedNetworkTests : IDisposable
{
    private const string Network = "tools/DnnImageModels/ResNet18Onnx/ResNet18.onnx";
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_network_of_a_package_is_added_fitted_scored_and_exported()
    {
        var package = typeof(PublishedNetworkTests)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "PublishedNetwork")
            .Value!;
        var network = Path.Combine(package, Network);
        Assert.SkipUnless(
            File.Exists(network),
            $"{network} is absent: the package was not restored (RestoreNetworks is false, or its source lacks it)."
        );
        var nets = _folder.Combine("nets");
        string[] add =
        [
            "backbones",
            "add",
            network,
            "--name",
            "resnet18-cntk",
            .. "--channel-order bgr --range 255 --mean 103.06 115.9 123.15 --licence MIT".Split(' '),
            "--backbones",
            nets,
        ];
        var added = Padim.Run(add).Succeeded().Output;
        Assert.Contains("made for images of 224 x 224 pixels", added, StringComparison.Ordinal);
        Assert.Contains(
            "ReLU283_Output_0 (stride 4, 64 channels), ReLU315_Output_0 (stride 8, 128 channels),"
                + " ReLU347_Output_0 (stride 16, 256 channels)",
            added,
            StringComparison.Ordinal
        );
        Assert.Contains("already installed", Padim.Run(add).Succeeded().Output, StringComparison.Ordinal);
        var normalisation = JsonNode.Parse(File.ReadAllText(Path.Combine(nets, "resnet18-cntk.json")))![
            "normalisation"
        ]!;
        Assert.Equal("bgr", normalisation["channelOrder"]!.GetValue<string>());

        FittedModel.Write(_folder.Combine("good"), 0, 16);
        var model = _folder.Combine("part.safetensors");
        string[] backbone = ["--backbones", nets];
        Padim
            .Run([
                "fit",
                _folder.Combine("good"),
                "--out",
                model,
                .. "--backbone resnet18-cntk --image-size 64 --dimensions 30".Split(' '),
                .. backbone,
            ])
            .Succeeded();
        FittedModel.Write(_folder.Combine("test"), 100, 1);
        FittedModel.WriteDefective(_folder.Combine("test", "worn.bmp"), 101);
        double[] scores =
        [
            .. Padim
                .Run(["score", model, _folder.Combine("test"), "--json", .. backbone])
                .Succeeded()
                .Lines.Select(line => JsonNode.Parse(line)!["score"]!.GetValue<double>()),
        ];
        Assert.Equal(2, scores.Length);
        Assert.True(scores[1] > 1.5 * scores[0], string.Join(", ", scores));
        var file = _folder.Combine("part.onnx");
        Padim.Run(["export", model, "--out", file, .. backbone]).Succeeded();
        Assert.True(new FileInfo(file).Length > 1 << 20);
    }

    [Theory]
    [InlineData("--range", "255")]
    [InlineData("--channel-order", "bgr")]
    [InlineData("--std", "1", "1", "1")]
    [InlineData("--mean", "1", "2")]
    [InlineData("--mean", "1", "2", "3", "--channel-order", "gbr")]
    public void Options_that_say_half_of_an_input_are_refused(params string[] options) =>
        Padim.Run(["backbones", "add", "any.onnx", "--backbones", _folder.Path, .. options]).Failed(2);
}
