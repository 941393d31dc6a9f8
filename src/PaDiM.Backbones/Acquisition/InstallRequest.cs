using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Backbones.Acquisition;

/// <summary>Represents a file to install as a backbone, and its metadata.</summary>
/// <param name="Name">The name of the backbone.</param>
/// <param name="Path">An ONNX file (<c>.onnx</c>), with or without a manifest beside it, or weights
/// (<c>.safetensors</c>, <c>.pth</c>, <c>.pt</c>).</param>
public sealed record InstallRequest(string Name, string Path)
{
    /// <summary>Gets the architecture of the weights; null to detect it from their tensors.</summary>
    public string? Architecture { get; init; }

    /// <summary>
    /// Gets how pixels become the input of an ONNX file; null to use the manifest beside it, or else ImageNet's.
    /// </summary>
    public Normalisation? Normalisation { get; init; }

    /// <summary>
    /// Gets the tensors of an ONNX file to tap, finest first; null to use the manifest beside it, or else to find them.
    /// </summary>
    public IReadOnlyList<string>? Taps { get; init; }

    /// <summary>Gets the origin of the file; null to use the manifest beside it, or else the file name.</summary>
    public string? Origin { get; init; }

    /// <summary>Gets the licence of the weights; null to use the manifest beside the file.</summary>
    public string? Licence { get; init; }

    /// <summary>
    /// Gets whether to replace a backbone with other bytes, and to accept a file whose hash is not the recorded one.
    /// </summary>
    public bool Force { get; init; }
}
