using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;

namespace PaDiM.Service.Backbones;

/// <summary>A backbone that is installed or can be installed.</summary>
/// <param name="Name">Name.</param>
/// <param name="State"><c>built-in</c>, <c>installed</c>, or <c>available</c>: in the catalogue, to be installed with
/// <c>padim backbones pull</c>.</param>
/// <param name="Description">One-line description; null if the backbone is not in the catalogue.</param>
/// <param name="Architecture">Architecture, if the backbone was built from a weights file; null for other ONNX
/// files.</param>
/// <param name="Taps">The tapped tensors, finest first; empty if they are found from the graph.</param>
/// <param name="Defaults">Default reduction of the profile <c>paper</c>.</param>
/// <param name="Origin">Source of the weights.</param>
/// <param name="Licence">Licence of the weights.</param>
/// <param name="SizeBytes">Size of the ONNX file, or of the download if not installed; null if unknown.</param>
/// <param name="Sha256">Hash of the ONNX file; null if not installed.</param>
/// <param name="WeightsSha256">Hash of the weights file; null if there is none or it is unknown.</param>
/// <param name="Error">Why the backbone cannot be used; null if it can.</param>
internal sealed record BackboneResponse(
    string Name,
    BackboneState State,
    string? Description,
    string? Architecture,
    IReadOnlyList<BackboneTap> Taps,
    BackboneDefaults Defaults,
    string? Origin,
    string? Licence,
    long? SizeBytes,
    string? Sha256,
    string? WeightsSha256,
    string? Error
)
{
    public static BackboneResponse From(ListedBackbone listed) =>
        new(
            listed.Name,
            listed.State,
            listed.Description,
            listed.Architecture,
            listed.Taps,
            new BackboneDefaults(listed.Dimensions, FitSettings.Paper.Reduction),
            listed.Origin,
            listed.Licence,
            listed.SizeBytes,
            listed.Sha256,
            listed.WeightsSha256,
            listed.Error
        );
}

/// <summary>Default reduction of a backbone in the profile <c>paper</c>.</summary>
/// <param name="Dimensions">Dimensions of the embedding.</param>
/// <param name="Reduction">How channels are reduced.</param>
internal sealed record BackboneDefaults(int Dimensions, ReductionMethod Reduction);
