namespace PaDiM.Core.Models;

/// <summary>The frozen network that computed a model's embeddings, and its input.</summary>
/// <param name="Name">Name in the registry.</param>
/// <param name="Sha256">SHA-256 of the file, lower-case hexadecimal: a model only scores with exactly these
/// bytes.</param>
/// <param name="Taps">Names of the tapped tensors, finest first.</param>
/// <param name="Normalisation">Description of how pixels are normalised; equal texts mean equal input.</param>
public sealed record BackboneIdentity(string Name, string Sha256, IReadOnlyList<string> Taps, string Normalisation = "")
{
    /// <summary>
    /// Returns whether embeddings of both can be compared: the bytes, taps and input are the same; the name may differ.
    /// </summary>
    public bool IsSameAs(BackboneIdentity other) =>
        Sha256 == other.Sha256
        && Normalisation == other.Normalisation
        && Taps.SequenceEqual(other.Taps, StringComparer.Ordinal);
}
