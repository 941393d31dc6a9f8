using PaDiM.Core.Scoring;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary>What was found in the images of a request.</summary>
/// <param name="Category">The model.</param>
/// <param name="Version">The version that scored.</param>
/// <param name="Id">The client's identifier of the request.</param>
/// <param name="Parameters">Its parameters, a JSON object; empty for none.</param>
/// <param name="Outputs">The tensors to return.</param>
/// <param name="Images">The images, in their order.</param>
internal sealed record InferAnswer(
    string Category,
    int Version,
    string? Id,
    ReadOnlyMemory<byte> Parameters,
    IReadOnlyList<ChosenOutput> Outputs,
    IReadOnlyList<InferredImage> Images
)
{
    /// <summary>Gets the values of a tensor.</summary>
    public OutputTensor GetTensor(InferOutput output) =>
        output switch
        {
            { Numbers: { } number } => new OutputTensor(
                output,
                [Images.Count],
                Numbers: [.. Images.Select(image => number(image.Result))]
            ),
            { Texts: { } text } => new OutputTensor(
                output,
                [Images.Count],
                Texts: [.. Images.Select(image => text(image.Result))]
            ),
            _ => new OutputTensor(
                output,
                [Images.Count, Images[0].Map!.Grid.Height, Images[0].Map!.Grid.Width],
                Maps: [.. Images.Select(image => image.Map!.Values)]
            ),
        };
}

/// <summary>What was found in an image.</summary>
/// <param name="Result">The result that decides.</param>
/// <param name="Map">Its map; null unless it is asked for.</param>
internal sealed record InferredImage(ScoreResponse Result, AnomalyMap? Map);
