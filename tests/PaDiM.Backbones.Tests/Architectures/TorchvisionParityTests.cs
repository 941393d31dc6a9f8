using System.Text.RegularExpressions;
using PaDiM.Backbones.Architectures;
using PaDiM.Backbones.Tests.Support;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;

namespace PaDiM.Backbones.Tests.Architectures;

public sealed partial class TorchvisionParityTests(ITestOutputHelper output)
{
    private static readonly Grid[] Sizes = [new(224, 224), new(256, 256), new(203, 267)];

    [Theory]
    [InlineData("resnet18")]
    [InlineData("wide_resnet50_2")]
    [InlineData("efficientnet_b5")]
    [InlineData("efficientnet_v2_s")]
    [InlineData("efficientnet_v2_m")]
    public void Every_tap_is_torchvisions_at_every_size(string architecture)
    {
        using var network = new NetworkFile(architecture).Build();
        Compare(network, architecture, architecture, Sizes);
    }

    [Fact]
    public void EfficientNet_by_timms_names_has_timms_epsilon()
    {
        using var network = new NetworkFile("efficientnet_b5");
        network.Build(network.Tensors().Select(tensor => (NameInTimm(tensor.Name), tensor.Shape, tensor.Values)));
        Compare(network, "efficientnet_b5", "efficientnet_b5_timm", Sizes[1]);
    }

    [Fact]
    public void A_checkpoint_gives_what_safetensors_give()
    {
        using var network = new NetworkFile("resnet18").Build();
        var expected = File.ReadAllBytes(network.Onnx);
        TorchFile.Write(network.Weights, network.Tensors());
        BackboneArchitecture.WriteOnnx("resnet18", network.Weights, network.Onnx);
        Assert.Equal(expected, File.ReadAllBytes(network.Onnx));
    }

    private void Compare(NetworkFile network, string architecture, string fixture, params Grid[] sizes)
    {
        using var session = new GraphSession(File.ReadAllBytes(network.Onnx), BackboneFolder.Cpu);
        foreach (var size in sizes)
        {
            var largest = 0.0;
            var taps = new List<string>();
            session.Run(
                RandomWeights.Image(size),
                size,
                (tap, channels, values) =>
                {
                    taps.Add(tap);
                    largest = Math.Max(largest, TorchTaps.Torchvision.Deviation(fixture, size, tap, channels, values));
                }
            );
            output.WriteLine($"{fixture} {size.Height} x {size.Width}: {largest:e1}");
            Assert.Equal(BackboneArchitecture.GetTaps(architecture).Select(tap => tap.Tensor), taps);
            Assert.InRange(largest, 0, 1e-4);
        }
    }

    /// <summary>timm's names for torchvision's, by what each library calls its layers.</summary>
    private static string NameInTimm(string name)
    {
        name = name.Replace("features.0.0.", "conv_stem.", StringComparison.Ordinal)
            .Replace("features.0.1.", "bn1.", StringComparison.Ordinal);
        return InBlock()
            .Replace(
                name,
                match =>
                {
                    var level = int.Parse(match.Groups["level"].ValueSpan) - 1;
                    var block = match.Groups["block"].Value;
                    var layer = match.Groups["layer"].Value;
                    var role = (level, layer) switch
                    {
                        (0, "0.0") => "conv_dw",
                        (0, "0.1") => "bn1",
                        (0, "1.fc1") or (_, "2.fc1") => "se.conv_reduce",
                        (0, "1.fc2") or (_, "2.fc2") => "se.conv_expand",
                        (0, "2.0") => "conv_pw",
                        (0, "2.1") => "bn2",
                        (_, "0.0") => "conv_pw",
                        (_, "0.1") => "bn1",
                        (_, "1.0") => "conv_dw",
                        (_, "1.1") => "bn2",
                        (_, "3.0") => "conv_pwl",
                        (_, "3.1") => "bn3",
                        _ => throw new InvalidOperationException(name),
                    };
                    return $"blocks.{level}.{block}.{role}.";
                }
            );
    }

    [GeneratedRegex(@"^features\.(?<level>[1-9])\.(?<block>\d+)\.block\.(?<layer>\d\.(\d|fc\d))\.")]
    private static partial Regex InBlock();
}
