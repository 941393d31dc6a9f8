using System.Text.Json.Serialization;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// Represents a network that can be installed by name: the origin and the hash of its weights, and the paper's
/// dimensions for it.
/// </summary>
public sealed record CatalogueEntry
{
    /// <summary>Gets the name of the entry, and of the backbone that is installed.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Gets the network architecture of the weights; null if the origin is an ONNX file.
    /// </summary>
    public string? Architecture { get; init; }

    /// <summary>Gets the taps of the backbone, finest first; empty if the origin is an ONNX file.</summary>
    public IReadOnlyList<BackboneTap> Taps { get; init; } = [];

    /// <summary>Gets the description, one line.</summary>
    public required string Description { get; init; }

    /// <summary>Gets the address of the download.</summary>
    public required Uri Origin { get; init; }

    /// <summary>Gets the licence of the weights, as far as it is known.</summary>
    public required string Licence { get; init; }

    /// <summary>Gets the size of the download in bytes; null if unknown.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>
    /// Gets the SHA-256 of the download, lower-case hexadecimal; null if only its beginning is known, or nothing.
    /// </summary>
    public string? Sha256 { get; init; }

    /// <summary>Gets the beginning of that SHA-256; null if unknown.</summary>
    public string? Sha256Prefix { get; init; }

    /// <summary>Gets the number of dimensions d that the paper reduces it to.</summary>
    public required int Dimensions { get; init; }

    /// <summary>Gets whether a file with this SHA-256, lower-case hexadecimal, can be the download.</summary>
    public bool Accepts(string sha256) =>
        sha256.StartsWith(Sha256 ?? Sha256Prefix ?? "", StringComparison.OrdinalIgnoreCase);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<CatalogueEntry>))]
internal sealed partial class CatalogueJson : JsonSerializerContext;
