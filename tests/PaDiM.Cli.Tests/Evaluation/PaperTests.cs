using System.Text.Json.Nodes;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Evaluation;

/// <summary>
/// Real images and the paper's own network must give the paper's row: ResNet-18, 100 random dimensions, centre crop
/// 224.
/// </summary>
public sealed class PaperTests
{
    [Fact]
    public void The_bottle_gives_the_papers_row()
    {
        Assert.SkipUnless(SharedFolder.Has("data/mvtec_bottle"), SharedFolder.Missing("data/mvtec_bottle"));
        Assert.SkipUnless(SharedFolder.Has("backbones/resnet18.onnx"), SharedFolder.Missing("backbones/resnet18.onnx"));
        using var state = new TempDirectory();
        var ran = Padim
            .Run(
                "evaluate",
                SharedFolder.Path("data/mvtec_bottle"),
                "--profile",
                "paper",
                "--backbone",
                "resnet18",
                "--backbones",
                SharedFolder.Path("backbones"),
                "--state",
                state.Path,
                "--json"
            )
            .Succeeded();
        var report = JsonNode.Parse(ran.Lines.Single())!["report"]!;
        Assert.Equal(0.996, report["images"]!["auroc"]!.GetValue<double>(), 0.015);
        Assert.Equal(0.981, report["pixels"]!["auroc"]!.GetValue<double>(), 0.015);
        Assert.Equal(0.939, report["pixels"]!["auPro30"]!.GetValue<double>(), 0.015);
    }
}
