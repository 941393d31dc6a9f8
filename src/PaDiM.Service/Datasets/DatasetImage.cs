using PaDiM.Service.Data;

namespace PaDiM.Service.Datasets;

/// <summary>An image to export.</summary>
/// <param name="Sha256">Hash of its bytes.</param>
/// <param name="FileName">The client's name for it; null if unknown.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Defect">Kind of defect; anomalous images only.</param>
/// <param name="HeldOut">Whether fits leave it out; normal images only.</param>
/// <param name="MaskSha256">Hash of its mask; null if it has none.</param>
/// <param name="At">When it was uploaded.</param>
internal sealed record DatasetImage(
    string Sha256,
    string? FileName,
    ImageLabel Label,
    string? Defect,
    bool HeldOut,
    string? MaskSha256,
    DateTime At
)
{
    /// <summary>Gets the hashes of its bytes and of its mask.</summary>
    public IEnumerable<string> ListBlobs() => MaskSha256 is null ? [Sha256] : [Sha256, MaskSha256];
}
