using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Quantisation;

/// <summary>An int8 backbone, ready to be written.</summary>
/// <param name="Name">Name of the float32 backbone with <c>-int8</c> behind it.</param>
/// <param name="Onnx">The file <c>Name.onnx</c>.</param>
/// <param name="Manifest">The file <c>Name.json</c>.</param>
/// <param name="Convolutions">Convolutions that have become integer ones.</param>
public sealed record QuantisedBackbone(string Name, byte[] Onnx, BackboneManifest Manifest, int Convolutions);
