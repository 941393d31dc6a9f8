using Google.Protobuf;
using PaDiM.Backbones.Weights;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// Networks whose graph is made here from a file of weights: safetensors, or a PyTorch checkpoint (<c>.pth</c>), with
/// the tensor names of torchvision or timm. They expect pixels normalised as <see
/// cref="Imaging.Preprocessing.Normalisation.ImageNet"/>.
/// </summary>
public static class BackboneArchitecture
{
    /// <summary>In the names of timm's files of weights that were trained with TensorFlow.</summary>
    private const string TensorFlowFileName = "tf_efficientnet";

    private static readonly Network[] Networks = [ResNet.ResNet18, ResNet.WideResNet50, EfficientNet.B5];

    /// <summary>Networks that can be made.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Networks.Select(network => network.Name)];

    /// <summary>The taps of a network, finest first, with strides and channels.</summary>
    /// <exception cref="ArgumentException">None of <see cref="Names"/>.</exception>
    public static IReadOnlyList<BackboneTap> GetTaps(string architecture) => Find(architecture).Taps;

    /// <summary>
    /// The network that a file's tensors belong to; null where they are of none of <see cref="Names"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">The file cannot be read, or holds several networks, with a sentence that
    /// says so.</exception>
    /// <exception cref="IOException">It is not there.</exception>
    public static string? Detect(string weightsPath)
    {
        using var file = WeightsFile.Open(weightsPath);
        return Networks
            .FirstOrDefault(network =>
                NetworkWeights.Find(file, network) is { } weights && weights.FindMisfit() is null
            )
            ?.Name;
    }

    /// <summary>
    /// Writes a network with a file's weights as an ONNX file: input <c>input</c>, float32 (n, 3, height, width), any
    /// of them; outputs the <see cref="GetTaps"/>. The same weights give the same bytes.
    /// </summary>
    /// <param name="architecture">One of <see cref="Names"/>.</param>
    /// <param name="weightsPath">Safetensors or a PyTorch checkpoint.</param>
    /// <param name="onnxPath">Written whole or not at all, replacing a file of that name.</param>
    /// <exception cref="ArgumentException">None of <see cref="Names"/>.</exception>
    /// <exception cref="InvalidDataException">The file cannot be read, or its tensors are not the network's, with a
    /// sentence that says why.</exception>
    /// <exception cref="IOException">It is not there, or the ONNX file cannot be written.</exception>
    public static void WriteOnnx(string architecture, string weightsPath, string onnxPath)
    {
        var network = Find(architecture);
        // Nothing in such a file says what it is of: names and shapes of its tensors are those of efficientnet_b5.
        if (
            network == EfficientNet.B5
            && Path.GetFileName(weightsPath).Contains(TensorFlowFileName, StringComparison.OrdinalIgnoreCase)
        )
            throw new InvalidDataException(
                $"{weightsPath} is named as weights of timm's {TensorFlowFileName} networks. Those pad as TensorFlow does, which {architecture} does not; their weights would give other features, and are not taken. Export the network as an ONNX file instead."
            );
        using var file = WeightsFile.Open(weightsPath);
        var weights =
            NetworkWeights.Find(file, network)
            ?? throw new InvalidDataException(
                $"The weights file holds no tensor named {string.Join(" or ", network.Forms.Select(form => $"'{form.Anchor}'"))}; {architecture} has one."
            );
        var model = weights.ToModel();
        AtomicFile.Write(onnxPath, model.WriteTo);
    }

    private static Network Find(string architecture) =>
        Networks.FirstOrDefault(network => network.Name == architecture)
        ?? throw new ArgumentException(
            $"There is no architecture named '{architecture}'; there are {string.Join(", ", Names)}.",
            nameof(architecture)
        );
}
