using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;

namespace PaDiM.Service.Backbones;

/// <summary>A backbone that categories may name, or that can be installed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State"><c>built-in</c>, <c>installed</c>, or <c>available</c>: in the catalogue, to be installed with
/// <c>padim backbones pull</c>.</param>
/// <param name="Description">One line about it; null where it is not of the catalogue.</param>
/// <param name="Architecture">The network that it was made of from a file of weights; null for other ONNX
/// files.</param>
/// <param name="Taps">Tensors it is tapped at, finest first; empty where its manifest leaves them to be found from the
/// graph.</param>
/// <param name="Defaults">What the profile <c>paper</c> reduces it to.</param>
/// <param name="Origin">Where its weights come from.</param>
/// <param name="Licence">Licence of its weights.</param>
/// <param name="SizeBytes">Size of its ONNX file; of the download where it is not installed; null where that is not
/// known.</param>
/// <param name="Sha256">Hash of its ONNX file; null where it is not installed.</param>
/// <param name="WeightsSha256">Hash of the file of weights that it was, or would be, made from; null where there is
/// none, or it is not known.</param>
/// <param name="Error">Why it cannot be used.</param>
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
    public static BackboneResponse Of(ListedBackbone listed) =>
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

/// <summary>What the profile <c>paper</c> reduces a backbone to, unless a category says otherwise.</summary>
/// <param name="Dimensions">Dimensions of the embedding.</param>
/// <param name="Reduction">How channels are reduced.</param>
internal sealed record BackboneDefaults(int Dimensions, ReductionMethod Reduction);
