namespace PaDiM.Backbones.Sizes;

/// <summary>Represents what became of a network's fixed sizes.</summary>
/// <param name="Onnx">The network with free sizes; null if the file stays as it is.</param>
/// <param name="Notice">A sentence for the user.</param>
internal sealed record FreedGraph(byte[]? Onnx, string Notice);
