namespace PaDiM.Core.Models;

/// <summary>The frozen network that a model's embeddings came from.</summary>
/// <param name="Name">Its name in the registry.</param>
/// <param name="Sha256">Lower-case hexadecimal hash of its file: a model only scores with these very bytes.</param>
/// <param name="Taps">Tensors it is tapped at, finest first.</param>
public sealed record BackboneIdentity(string Name, string Sha256, IReadOnlyList<string> Taps);
