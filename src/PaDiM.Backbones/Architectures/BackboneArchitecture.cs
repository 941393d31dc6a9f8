using Google.Protobuf;
using PaDiM.Backbones.Weights;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// Builds the graphs of networks from files of weights: safetensors, or a PyTorch checkpoint (<c>.pth</c>), with the
/// tensor names of torchvision or timm. The networks expect pixels normalised as <see
/// cref="Imaging.Preprocessing.Normalisation.ImageNet"/>.
/// </summary>
public static class BackboneArchitecture
{
    /// <summary>Part of the file names of timm's weights that were trained with TensorFlow.</summary>
    private const string TensorFlowFileName = "tf_efficientnet";

    private static readonly Network[] Networks =
    [
        ResNet.ResNet18,
        ResNet.WideResNet50,
        EfficientNet.B5,
        EfficientNet.V2Small,
        EfficientNet.V2Medium,
    ];

    /// <summary>Gets the networks that can be built.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Networks.Select(network => network.Name)];

    /// <summary>Gets the taps of a network, finest first, with strides and channels.</summary>
    /// <exception cref="ArgumentException">It is not one of <see cref="Names"/>.</exception>
    public static IReadOnlyList<BackboneTap> GetTaps(string architecture) => Find(architecture).Taps;

    /// <summary>Detects the network of a file's tensors; null if it is not one of <see cref="Names"/>.</summary>
    /// <exception cref="InvalidDataException">The file cannot be read, or contains several networks; the message says
    /// which.</exception>
    /// <exception cref="IOException">It does not exist.</exception>
    public static string? Detect(string weightsPath)
    {
        using var file = WeightsFile.Open(weightsPath);
        return Networks
            .FirstOrDefault(network => NetworkWeights.Find(file, network) is { } weights && weights.Validate() is null)
            ?.Name;
    }

    /// <summary>
    /// Writes a network with a file's weights as an ONNX file. Its input is <c>input</c>, float32 (n, 3, height,
    /// width), of any batch and image size; its outputs are the <see cref="GetTaps">taps</see>. The same weights give
    /// the same bytes.
    /// </summary>
    /// <param name="architecture">One of <see cref="Names"/>.</param>
    /// <param name="weightsPath">A safetensors file or a PyTorch checkpoint.</param>
    /// <param name="onnxPath">The file to write. It is written completely or not at all, and replaces an existing
    /// file.</param>
    /// <exception cref="ArgumentException">It is not one of <see cref="Names"/>.</exception>
    /// <exception cref="InvalidDataException">The file cannot be read, or its tensors are not those of the network; the
    /// message says why.</exception>
    /// <exception cref="IOException">It does not exist, or the ONNX file cannot be written.</exception>
    public static void WriteOnnx(string architecture, string weightsPath, string onnxPath)
    {
        var network = Find(architecture);
        // Only the file name gives these weights away: the names and shapes of the tensors are those of
        // efficientnet_b5.
        if (
            network == EfficientNet.B5
            && Path.GetFileName(weightsPath).Contains(TensorFlowFileName, StringComparison.OrdinalIgnoreCase)
        )
            throw new InvalidDataException(
                $"{weightsPath} has the name of weights of timm's {TensorFlowFileName} networks. These pad as "
                    + $"TensorFlow does, unlike {architecture}, so the features would be wrong. "
                    + "Export the network as an ONNX file instead."
            );
        using var file = WeightsFile.Open(weightsPath);
        var anchors = string.Join(" or ", network.Forms.Select(form => $"'{form.Anchor}'"));
        var weights =
            NetworkWeights.Find(file, network)
            ?? throw new InvalidDataException(
                $"The weights file has no tensor named {anchors}; {architecture} has one."
            );
        var model = weights.ToModel();
        AtomicFile.Write(onnxPath, model.WriteTo);
    }

    /// <summary>Finds a network by its name.</summary>
    /// <exception cref="ArgumentException">It is not one of <see cref="Names"/>.</exception>
    internal static Network Find(string architecture) =>
        Networks.FirstOrDefault(network => network.Name == architecture)
        ?? throw new ArgumentException(
            $"There is no architecture named '{architecture}'. Supported are {string.Join(", ", Names)}.",
            nameof(architecture)
        );
}
