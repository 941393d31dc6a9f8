using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// What is known of a backbone file; <c>NAME.json</c> beside <c>NAME.onnx</c>. Everything may be left out but what
/// cannot be read off the graph.
/// </summary>
public sealed record BackboneManifest
{
    /// <summary>Tensors to tap, finest first; found from the graph when null.</summary>
    public IReadOnlyList<BackboneTap>? Taps { get; init; }

    /// <summary>How pixels become the network's input.</summary>
    public Normalisation Normalisation { get; init; } = Normalisation.ImageNet;

    /// <summary>SHA-256 that the file must have, lower-case hexadecimal; not checked when null.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Where the weights come from.</summary>
    public string? Origin { get; init; }

    /// <summary>Licence of the weights.</summary>
    public string? Licence { get; init; }

    /// <summary>
    /// The architecture that was built from a file of weights; null for other ONNX files.
    /// </summary>
    public string? Architecture { get; init; }

    /// <summary>
    /// Dimensions that the profile <c>paper</c> reduces it to, at least 1; those of the catalogue, or 100, when null.
    /// </summary>
    public int? Dimensions { get; init; }

    /// <summary>
    /// SHA-256 of the file of weights that it was made from, lower-case hexadecimal; null when it came as an ONNX file.
    /// </summary>
    public string? WeightsSha256 { get; init; }

    /// <summary>When it was installed; null where it was put there by hand.</summary>
    public DateTimeOffset? InstalledAt { get; init; }

    /// <summary>What it was quantised from and how; null for a network as it was trained.</summary>
    public BackboneQuantisation? Quantisation { get; init; }

    /// <summary>Whether a file of this hash, in hexadecimal, can be the one that is meant.</summary>
    public bool Accepts(string sha256) => Sha256?.Equals(sha256, StringComparison.OrdinalIgnoreCase) ?? true;

    /// <summary>The manifest as JSON.</summary>
    public byte[] ToJson() =>
        [.. JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.BackboneManifest), (byte)'\n'];

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="InvalidDataException">The JSON cannot be read, or its values make no sense.</exception>
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
            // Generated code sets what the JSON leaves out to null, whatever the property's initial value.
            if (manifest.Normalisation is null)
                manifest = manifest with { Normalisation = Normalisation.ImageNet };
            manifest.Normalisation.Check();
            return manifest;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The manifest cannot be read: {e.Message}", e);
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
