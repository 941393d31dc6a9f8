using PaDiM.Imaging.Decoding;
using PaDiM.Service.Data;

namespace PaDiM.Service.Images;

/// <summary>The result of an upload.</summary>
/// <param name="Accepted">Images that are stored.</param>
/// <param name="Rejected">Files that were refused; the others are stored anyway.</param>
internal sealed record UploadResponse(IReadOnlyList<AcceptedImage> Accepted, IReadOnlyList<RejectedFile> Rejected);

/// <summary>A stored image.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="FileName">File name given by the client.</param>
/// <param name="Sha256">Hash of the stored bytes.</param>
/// <param name="Width">Width in pixels, upright.</param>
/// <param name="Height">Height in pixels, upright.</param>
/// <param name="Label">Label.</param>
/// <param name="Duplicate">Whether an image with the same bytes or the same pixels was already stored. The answer then
/// describes that image, and the file is not stored again.</param>
/// <param name="DuplicateOf">Identifier of the image that was already stored; null if this one is new.</param>
/// <param name="HasMask">Whether a mask is stored with the image.</param>
internal sealed record AcceptedImage(
    string Id,
    string FileName,
    string Sha256,
    int Width,
    int Height,
    ImageLabel Label,
    bool Duplicate,
    string? DuplicateOf,
    bool HasMask
);

/// <summary>A file that was not stored.</summary>
/// <param name="FileName">File name given by the client.</param>
/// <param name="Code">Stable code.</param>
/// <param name="Detail">What to do about it.</param>
internal sealed record RejectedFile(string FileName, string Code, string Detail);

/// <summary>A stored image in a list.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="FileName">File name given by the client.</param>
/// <param name="Sha256">Hash of the bytes.</param>
/// <param name="MediaType">Media type of the bytes.</param>
/// <param name="Width">Width in pixels, upright.</param>
/// <param name="Height">Height in pixels, upright.</param>
/// <param name="Bytes">Size of the file in bytes.</param>
/// <param name="Label">Label.</param>
/// <param name="Defect">Kind of defect, if given.</param>
/// <param name="HasMask">Whether a mask is stored with the image.</param>
/// <param name="HeldOut">Whether fits leave the image out; normal images only.</param>
/// <param name="CreatedAt">Time of upload.</param>
internal sealed record ImageResponse(
    string Id,
    string FileName,
    string Sha256,
    string MediaType,
    int Width,
    int Height,
    long Bytes,
    ImageLabel Label,
    string? Defect,
    bool HasMask,
    bool HeldOut,
    DateTime CreatedAt
)
{
    /// <summary>Creates the response for a row.</summary>
    public static ImageResponse From(StoredImage image) =>
        new(
            image.Id,
            image.FileName,
            image.Sha256,
            image.Format.MediaType(),
            image.Width,
            image.Height,
            image.Bytes,
            image.Label,
            image.Defect,
            image.MaskSha256 is not null,
            image.HeldOut,
            image.CreatedAt
        );
}
