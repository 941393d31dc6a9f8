namespace PaDiM.Core.Models;

/// <summary>The frozen network that a model's embeddings came from, and how it was fed.</summary>
/// <param name="Name">Its name in the registry.</param>
/// <param name="Sha256">Lower-case hexadecimal hash of its file: a model only scores with these very bytes.</param>
/// <param name="Taps">Tensors it is tapped at, finest first.</param>
/// <param name="Normalisation">How pixels became its input, in words; equal words mean equal input.</param>
public sealed record BackboneIdentity(string Name, string Sha256, IReadOnlyList<string> Taps, string Normalisation = "")
{
    /// <summary>
    /// Whether embeddings of the two can be compared: the same bytes, taps and input, under whatever name.
    /// </summary>
    public bool IsSameAs(BackboneIdentity other) =>
        Sha256 == other.Sha256
        && Normalisation == other.Normalisation
        && Taps.SequenceEqual(other.Taps, StringComparer.Ordinal);
}
