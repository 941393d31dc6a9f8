using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Quantisation;

/// <summary>Represents an int8 backbone, ready to write.</summary>
/// <param name="Name">The name of the float32 backbone followed by <c>-int8</c>.</param>
/// <param name="Onnx">The file <c>Name.onnx</c>.</param>
/// <param name="Manifest">The file <c>Name.json</c>.</param>
/// <param name="Convolutions">The number of integer convolutions.</param>
public sealed record QuantisedBackbone(string Name, byte[] Onnx, BackboneManifest Manifest, int Convolutions);
