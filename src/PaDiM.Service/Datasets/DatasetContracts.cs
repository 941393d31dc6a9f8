using PaDiM.Service.Categories;
using PaDiM.Service.Images;

namespace PaDiM.Service.Datasets;

/// <summary>The result of an import.</summary>
/// <param name="Added">Images that are stored now and were not before.</param>
/// <param name="Duplicates">Images that were stored already; they keep their label and their kind of defect.</param>
/// <param name="Masks">Masks that belong to an image now, or did before.</param>
/// <param name="Ignored">Entries that are no images, such as folders and licences.</param>
/// <param name="RejectedCount">Number of entries that were refused; the others are stored anyway.</param>
/// <param name="Rejected">Entries that were refused, by their name in the archive; the first 1000.</param>
internal sealed record ImportResponse(
    ImageCounts Added,
    int Duplicates,
    int Masks,
    int Ignored,
    int RejectedCount,
    IReadOnlyList<RejectedFile> Rejected
);

/// <summary>An image that a model was fitted to.</summary>
/// <param name="Sha256">Hash of its bytes.</param>
/// <param name="FileName">File name when the model was published; null if unknown.</param>
/// <param name="ImageId">Identifier of the image; null if it was deleted from the category.</param>
/// <param name="Available">Whether its bytes are still there, so that it can be exported.</param>
internal sealed record ModelImageResponse(string Sha256, string? FileName, string? ImageId, bool Available);
