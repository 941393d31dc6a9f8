using PaDiM.Onnx.Backbones;

namespace PaDiM.Onnx.Architectures;

/// <summary>
/// Networks whose graph is made here from a file of weights: safetensors, or a PyTorch checkpoint (<c>.pth</c>), with the tensor names of torchvision or timm. They expect pixels
/// normalised as <see cref="Normalisation.ImageNet"/>.
/// </summary>
public static class BackboneArchitecture
{
    /// <summary>Networks that can be made.</summary>
    public static IReadOnlyList<string> Names { get; } = ["resnet18", "wide_resnet50_2", "efficientnet_b5"];

    /// <summary>The taps of a network, finest first, with strides and channels.</summary>
    /// <exception cref="ArgumentException">None of <see cref="Names"/>.</exception>
    public static IReadOnlyList<BackboneTap> Taps(string architecture) => architecture switch
    {
        "resnet18" => [new("layer1", 4, 64), new("layer2", 8, 128), new("layer3", 16, 256)],
        "wide_resnet50_2" => [new("layer1", 4, 256), new("layer2", 8, 512), new("layer3", 16, 1024)],
        "efficientnet_b5" => [new("level2", 4, 40), new("level4", 16, 128), new("level5", 16, 176)],
        _ => throw new ArgumentException($"There is no architecture named '{architecture}'; there are {string.Join(", ", Names)}.", nameof(architecture)),
    };

    /// <summary>The network that a file's tensors belong to; null where they are of none of <see cref="Names"/>.</summary>
    /// <exception cref="InvalidDataException">The file cannot be read, with a sentence that says why.</exception>
    public static string? Detect(string weightsPath) => throw new NotImplementedException(weightsPath);

    /// <summary>Writes a network with a file's weights as an ONNX file.</summary>
    /// <param name="architecture">One of <see cref="Names"/>.</param>
    /// <param name="weightsPath">Safetensors or a PyTorch checkpoint.</param>
    /// <param name="onnxPath">Written whole or not at all, replacing a file of that name.</param>
    /// <exception cref="ArgumentException">None of <see cref="Names"/>.</exception>
    /// <exception cref="InvalidDataException">The file cannot be read, or its tensors are not the network's, with a sentence that says why.</exception>
    public static void WriteOnnx(string architecture, string weightsPath, string onnxPath) => throw new NotImplementedException($"{architecture} {weightsPath} {onnxPath}");
}
