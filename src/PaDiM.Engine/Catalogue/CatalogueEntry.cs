using System.Text.Json.Serialization;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// A network that can be installed by its name: where its weights lie, what they are known by, and the paper's
/// dimensions for it.
/// </summary>
public sealed record CatalogueEntry
{
    /// <summary>Its name, and that of the backbone it becomes.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The network architecture of the weights; null when the origin is an ONNX file.
    /// </summary>
    public string? Architecture { get; init; }

    /// <summary>The taps of the backbone, finest first; empty when the origin is an ONNX file.</summary>
    public IReadOnlyList<BackboneTap> Taps { get; init; } = [];

    /// <summary>One line about it.</summary>
    public required string Description { get; init; }

    /// <summary>Where its file is downloaded from.</summary>
    public required Uri Origin { get; init; }

    /// <summary>Licence of the weights, as far as it is known.</summary>
    public required string Licence { get; init; }

    /// <summary>Size of the origin's file, in bytes; null where it is not known.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>
    /// SHA-256 of the origin's file, lower-case hexadecimal; null where only its beginning is known, or nothing.
    /// </summary>
    public string? Sha256 { get; init; }

    /// <summary>What that SHA-256 begins with; null where nothing is known.</summary>
    public string? Sha256Prefix { get; init; }

    /// <summary>Dimensions d that the paper reduces it to.</summary>
    public required int Dimensions { get; init; }

    /// <summary>Whether a file of this hash, lower-case hexadecimal, can be the origin's.</summary>
    public bool Accepts(string sha256) =>
        sha256.StartsWith(Sha256 ?? Sha256Prefix ?? "", StringComparison.OrdinalIgnoreCase);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<CatalogueEntry>))]
internal sealed partial class CatalogueJson : JsonSerializerContext;
