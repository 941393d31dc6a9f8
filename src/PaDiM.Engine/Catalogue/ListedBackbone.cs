using System.Text.Json.Serialization;

namespace PaDiM.Engine.Catalogue;

/// <summary>Whether a backbone can be used.</summary>
public enum BackboneState
{
    /// <summary>It came with the program.</summary>
    [JsonStringEnumMemberName("built-in")]
    BuiltIn,

    /// <summary>It lies in a backbone directory.</summary>
    [JsonStringEnumMemberName("installed")]
    Installed,

    /// <summary>It is in the catalogue, and can be installed by its name.</summary>
    [JsonStringEnumMemberName("available")]
    Available,
}

/// <summary>A backbone that can be used, or installed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">Whether it can be used.</param>
/// <param name="Description">One line about it; null where it is not of the catalogue.</param>
/// <param name="Architecture">The network that it was made of from a file of weights; null for other ONNX
/// files.</param>
/// <param name="Taps">Tensors it is tapped at, finest first; empty where its manifest leaves them to be found from the
/// graph.</param>
/// <param name="Dimensions">Dimensions that the profile <c>paper</c> reduces it to.</param>
/// <param name="Origin">Where its weights come from.</param>
/// <param name="Licence">Licence of its weights.</param>
/// <param name="SizeBytes">Size of its ONNX file; of the download where it is not installed; null where that is not
/// known.</param>
/// <param name="Sha256">SHA-256 of its ONNX file; null where it is not installed, or cannot be read.</param>
/// <param name="WeightsSha256">SHA-256 of the file of weights that it was, or would be, made from; null where there is
/// none, or it is not known.</param>
/// <param name="Error">Why it cannot be used.</param>
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
