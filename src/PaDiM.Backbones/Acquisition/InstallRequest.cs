namespace PaDiM.Backbones.Acquisition;

/// <summary>A file that is to become a backbone, and what is known of it.</summary>
/// <param name="Name">Name of the backbone.</param>
/// <param name="Path">An ONNX file (<c>.onnx</c>), with a manifest beside it or without, or weights
/// (<c>.safetensors</c>, <c>.pth</c>, <c>.pt</c>).</param>
public sealed record InstallRequest(string Name, string Path)
{
    /// <summary>The network that weights are of; found from their tensors when null.</summary>
    public string? Architecture { get; init; }

    /// <summary>Where the file comes from; what a manifest beside it says, else its name, when null.</summary>
    public string? Origin { get; init; }

    /// <summary>Licence of the weights; what a manifest beside the file says when null.</summary>
    public string? Licence { get; init; }

    /// <summary>Replace a backbone of other bytes, and accept a file of another hash than the recorded one.</summary>
    public bool Force { get; init; }
}
