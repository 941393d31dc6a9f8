using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// Describes a backbone file: <c>NAME.json</c> beside <c>NAME.onnx</c>. Everything is optional where the default, or
/// what the graph shows, is right.
/// </summary>
public sealed record BackboneManifest
{
    /// <summary>Gets the tensors to tap, finest first; null to find them from the graph.</summary>
    public IReadOnlyList<BackboneTap>? Taps { get; init; }

    /// <summary>Gets the normalisation from pixels to the network's input.</summary>
    public Normalisation Normalisation { get; init; } = Normalisation.ImageNet;

    /// <summary>
    /// Gets the number of tokens of a vision transformer that belong to no patch of the image and come first (class and
    /// register tokens), from 0; null to find it from the shape of the taps.
    /// </summary>
    public int? PrefixTokens { get; init; }

    /// <summary>Gets the SHA-256 that the file must have, lower-case hexadecimal; null for any.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Gets the origin of the weights.</summary>
    public string? Origin { get; init; }

    /// <summary>Gets the licence of the weights.</summary>
    public string? Licence { get; init; }

    /// <summary>
    /// Gets the architecture that was built from a file of weights; null for other ONNX files.
    /// </summary>
    public string? Architecture { get; init; }

    /// <summary>
    /// Gets the number of dimensions that the profile <c>paper</c> reduces it to, at least 1; null for that of the
    /// catalogue, or 100.
    /// </summary>
    public int? Dimensions { get; init; }

    /// <summary>
    /// Gets the SHA-256 of the file of weights that it was built from, lower-case hexadecimal; null if it came as an
    /// ONNX file.
    /// </summary>
    public string? WeightsSha256 { get; init; }

    /// <summary>
    /// Gets the SHA-256 of the ONNX file whose graph was changed to take images of any size, lower-case hexadecimal; null
    /// if nothing was changed.
    /// </summary>
    public string? SourceSha256 { get; init; }

    /// <summary>Gets the time at which it was installed; null if it was copied there by hand.</summary>
    public DateTimeOffset? InstalledAt { get; init; }

    /// <summary>Gets how it was quantised; null for a network that was not.</summary>
    public BackboneQuantisation? Quantisation { get; init; }

    /// <summary>Gets whether a file with this SHA-256, in hexadecimal, can be the described one.</summary>
    public bool Accepts(string sha256) => Sha256?.Equals(sha256, StringComparison.OrdinalIgnoreCase) ?? true;

    /// <summary>Converts the manifest to JSON.</summary>
    public byte[] ToJson() =>
        [.. JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.BackboneManifest), (byte)'\n'];

    /// <summary>Parses a manifest.</summary>
    /// <exception cref="InvalidDataException">The JSON is not valid, or a value is out of range.</exception>
    public static BackboneManifest Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var manifest =
                JsonSerializer.Deserialize(json, ManifestJson.Default.BackboneManifest) ?? new BackboneManifest();
            if (manifest.Taps is { Count: 0 })
                throw new InvalidDataException("The manifest's list of taps is empty.");
            if (manifest.Taps is { } taps && taps.Any(tap => string.IsNullOrEmpty(tap?.Tensor)))
                throw new InvalidDataException("A tap in the manifest names no tensor.");
            if (manifest.Dimensions < 1)
                throw new InvalidDataException("The manifest's dimensions must be at least 1.");
            if (manifest.PrefixTokens < 0)
                throw new InvalidDataException("The manifest's prefixTokens must be at least 0.");
            // The generated serializer sets missing properties to null, whatever their initial values.
            if (manifest.Normalisation is null)
                manifest = manifest with { Normalisation = Normalisation.ImageNet };
            manifest.Normalisation.Check();
            return manifest;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The manifest is not valid: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(BackboneManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
