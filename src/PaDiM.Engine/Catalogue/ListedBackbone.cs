using System.Text.Json.Serialization;

namespace PaDiM.Engine.Catalogue;

/// <summary>Specifies whether a backbone can be used.</summary>
public enum BackboneState
{
    /// <summary>Comes with the program.</summary>
    [JsonStringEnumMemberName("built-in")]
    BuiltIn,

    /// <summary>Is in a backbone directory.</summary>
    [JsonStringEnumMemberName("installed")]
    Installed,

    /// <summary>Is in the catalogue and can be installed by name.</summary>
    [JsonStringEnumMemberName("available")]
    Available,
}

/// <summary>Represents a backbone that can be used, or installed.</summary>
/// <param name="Name">Name of the backbone.</param>
/// <param name="State">Whether it can be used.</param>
/// <param name="Description">One line; null if it is not in the catalogue.</param>
/// <param name="Architecture">The architecture that was built from a file of weights; null for other ONNX
/// files.</param>
/// <param name="Taps">Tapped tensors, finest first; empty if its manifest does not state them.</param>
/// <param name="Dimensions">Number of dimensions that the profile <c>paper</c> reduces it to.</param>
/// <param name="Origin">Origin of its weights.</param>
/// <param name="Licence">Licence of its weights.</param>
/// <param name="SizeBytes">Size of its ONNX file, or of the download if it is not installed; null if unknown.</param>
/// <param name="Sha256">SHA-256 of its ONNX file; null if it is not installed or cannot be read.</param>
/// <param name="WeightsSha256">SHA-256 of the file of weights that it is built from; null if there is none, or it is
/// unknown.</param>
/// <param name="Error">Why it cannot be used; null if it can.</param>
public sealed record ListedBackbone(
    string Name,
    BackboneState State,
    string? Description,
    string? Architecture,
    IReadOnlyList<BackboneTap> Taps,
    int Dimensions,
    string? Origin,
    string? Licence,
    long? SizeBytes,
    string? Sha256,
    string? WeightsSha256,
    string? Error
);
