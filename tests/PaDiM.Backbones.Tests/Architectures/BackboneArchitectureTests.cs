using PaDiM.Backbones.Architectures;
using PaDiM.Backbones.Tests.Support;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Architectures;

public sealed class BackboneArchitectureTests
{
    private const string Given = "backbones/resnet18.onnx";

    [Theory]
    [InlineData("resnet18")]
    [InlineData("efficientnet_b5")]
    [InlineData("efficientnet_v2_s")]
    public void The_file_is_a_backbone_with_the_taps_that_are_told(string architecture)
    {
        using var file = new NetworkFile(architecture).Build();
        using var backbone = file.Load();
        Assert.Equal(BackboneArchitecture.GetTaps(architecture), backbone.Taps);
        Assert.Null(backbone.FixedSize);
    }

    [Fact]
    public void Five_networks_can_be_made_and_others_are_named_in_the_answer()
    {
        Assert.Equal(
            ["resnet18", "wide_resnet50_2", "efficientnet_b5", "efficientnet_v2_s", "efficientnet_v2_m"],
            BackboneArchitecture.Names
        );
        Assert.Contains(
            "resnet18, wide_resnet50_2, efficientnet_b5",
            Assert.Throws<ArgumentException>(() => BackboneArchitecture.GetTaps("vgg16")).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentException>(() => BackboneArchitecture.WriteOnnx("vgg16", "absent", "absent"));
        Assert.Throws<FileNotFoundException>(() => BackboneArchitecture.WriteOnnx("resnet18", "absent", "absent"));
    }

    [Fact]
    public void The_same_weights_give_the_same_bytes_in_any_order_of_tensors()
    {
        using NetworkFile one = new NetworkFile("resnet18").Build(),
            other = new("resnet18");
        other.Build(other.Tensors().Reverse());
        Assert.Equal(File.ReadAllBytes(one.Onnx), File.ReadAllBytes(other.Onnx));
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("model.backbone.")]
    [InlineData("feature_extractor.net.")]
    public void Prefixes_are_looked_through(string prefix)
    {
        using NetworkFile plain = new NetworkFile("resnet18").Build(),
            prefixed = new("resnet18");
        prefixed.Build(
            prefixed
                .Tensors()
                .Select(tensor => (prefix + tensor.Name, tensor.Shape, tensor.Values))
                .Append(("head.weight", [2], [1, 2]))
        );
        Assert.Equal("resnet18", BackboneArchitecture.Detect(prefixed.Weights));
        Assert.Equal(File.ReadAllBytes(plain.Onnx), File.ReadAllBytes(prefixed.Onnx));
    }

    [Fact]
    public void Layers_behind_the_last_tap_are_left_out()
    {
        using var file = new NetworkFile("resnet18");
        var expected = File.ReadAllBytes(file.Build().Onnx);
        file.Build(file.Tensors().Append(("layer4.0.conv1.weight", [2], [1, 2])).Append(("fc.weight", [1], [1])));
        Assert.Equal(expected, File.ReadAllBytes(file.Onnx));
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("wide_resnet50_2")]
    [InlineData("efficientnet_b5")]
    [InlineData("efficientnet_v2_s")]
    [InlineData("efficientnet_v2_m")]
    public void A_network_is_told_by_its_tensors(string architecture)
    {
        using var file = new NetworkFile(architecture);
        RandomWeights.Write(file.Weights, file.Tensors());
        Assert.Equal(architecture, BackboneArchitecture.Detect(file.Weights));
        foreach (var other in BackboneArchitecture.Names.Where(name => name != architecture))
            Assert.Throws<InvalidDataException>(() => BackboneArchitecture.WriteOnnx(other, file.Weights, file.Onnx));
        RandomWeights.Write(file.Weights, file.Tensors().Skip(1));
        Assert.Null(BackboneArchitecture.Detect(file.Weights));
    }

    [Fact]
    public void What_is_missing_of_another_shape_or_too_many_is_named()
    {
        using var file = new NetworkFile("resnet18");
        Assert.Contains(
            "no tensor 'layer2.0.downsample.1.running_var'; resnet18 has one with shape (128)",
            file.Refusal(file.Tensors().Where(tensor => tensor.Name != "layer2.0.downsample.1.running_var")),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'bn1.bias' of the weights file has shape (8, 8); resnet18 expects (64)",
            file.Refusal(
                file.Tensors()
                    .Select(tensor => tensor.Name == "bn1.bias" ? (tensor.Name, [8, 8], tensor.Values) : tensor)
            ),
            StringComparison.Ordinal
        );
        Assert.Contains("'layer1.0.conv1.weight'", file.Refusal([("x", [1], [1])]), StringComparison.Ordinal);
        // A third block in the first layer: ResNet-34.
        var deeper = file.Tensors().Append(("layer1.2.conv1.weight", [1], [1])).ToArray();
        Assert.Contains(
            "'layer1.2.conv1.weight', which resnet18 does not have",
            file.Refusal(deeper),
            StringComparison.Ordinal
        );
        Assert.Null(BackboneArchitecture.Detect(file.Weights));
    }

    [Fact]
    public void Two_networks_in_one_file_are_refused()
    {
        using var file = new NetworkFile("resnet18");
        Assert.Contains(
            "'student.', 'teacher.'",
            file.Refusal(
                file.Tensors()
                    .SelectMany(tensor =>
                        new[] { "student.", "teacher." }.Select(prefix =>
                            (prefix + tensor.Name, tensor.Shape, tensor.Values)
                        )
                    )
            ),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Weights_that_are_not_finite_are_refused_and_integers_too()
    {
        using var file = new NetworkFile("resnet18");
        foreach (var value in new[] { float.NaN, float.PositiveInfinity })
            Assert.Contains(
                "'layer1.0.conv2' are not all finite",
                file.Refusal(
                    file.Tensors()
                        .Select(tensor =>
                            tensor.Name == "layer1.0.bn2.weight"
                                ? (tensor.Name, tensor.Shape, [value, .. tensor.Values[1..]])
                                : tensor
                        )
                ),
                StringComparison.Ordinal
            );
        Assert.Contains(
            "'conv1' are not all finite",
            file.Refusal(
                file.Tensors()
                    .Select(tensor =>
                        tensor.Name == "bn1.running_var"
                            ? (tensor.Name, tensor.Shape, [-1, .. tensor.Values[1..]])
                            : tensor
                    )
            ),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_graph_of_the_published_weights_answers_as_their_own()
    {
        Assert.SkipUnless(SharedFolder.Has(Given), SharedFolder.Missing(Given));
        var given = File.ReadAllBytes(SharedFolder.Path(Given));
        var folded = new Constants(GraphEditor.Open(given).Graph);
        using var file = new NetworkFile("resnet18");
        // Its batch normalisations are folded already: those of the file change nothing but the shift.
        file.Build(
            file.Tensors().Select(tensor => (tensor.Name, tensor.Shape, Unfold(tensor.Name, tensor.Shape, folded)))
        );
        var size = new Grid(256, 256);
        var image = RandomWeights.Image(size);
        var expected = new Dictionary<string, float[]>();
        using GraphSession own = new(given, BackboneFolder.Cpu),
            made = new(File.ReadAllBytes(file.Onnx), BackboneFolder.Cpu);
        own.Run(image, size, (tap, _, values) => expected[tap] = values.ToArray());
        made.Run(
            image,
            size,
            (tap, _, values) =>
            {
                var rms = Math.Sqrt(expected[tap].Average(value => (double)value * value));
                for (var i = 0; i < values.Length; i++)
                    Assert.Equal(expected[tap][i], (double)values[i], 1e-4 * rms);
                expected.Remove(tap);
            }
        );
        Assert.Empty(expected);
    }

    [Fact]
    public void A_made_network_can_be_quantised()
    {
        using var file = new NetworkFile("resnet18").Build();
        var made = Quantising.Quantise(
            File.ReadAllBytes(file.Onnx),
            manifest: """{ "taps": [{ "tensor": "layer1" }, { "tensor": "layer2" }, { "tensor": "layer3" }] }"""
        );
        // All but the one that reads the image.
        Assert.Equal(14, made.Convolutions);
        Assert.All(made.Manifest.Quantisation!.Sqnr, sqnr => Assert.True(sqnr > 25, $"{sqnr} dB"));
    }

    /// <summary>A tensor as it was before folding, had the normalisation been the identity but for its shift.</summary>
    private static float[] Unfold(string name, long[] shape, Constants folded)
    {
        if (name.EndsWith("running_mean", StringComparison.Ordinal))
            return new float[shape[0]];
        if (name.EndsWith("running_var", StringComparison.Ordinal))
            return [.. Enumerable.Repeat(1 - 1e-5f, (int)shape[0])];
        if (shape.Length == 1 && name.EndsWith("weight", StringComparison.Ordinal))
            return [.. Enumerable.Repeat(1f, (int)shape[0])];
        var layer = name[..name.LastIndexOf('.')]
            .Replace("downsample.1", "downsample.0", StringComparison.Ordinal)
            .Replace("bn", "conv", StringComparison.Ordinal);
        return folded.Find($"p.{layer.Replace('.', '_')}_{(shape.Length == 1 ? "bias" : "weight")}")!.Value.Values;
    }
}
