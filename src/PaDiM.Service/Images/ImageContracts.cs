using PaDiM.Service.Data;

namespace PaDiM.Service.Images;

/// <summary>What became of an upload.</summary>
/// <param name="Accepted">Images that are stored.</param>
/// <param name="Rejected">Files that are not; the others are stored all the same.</param>
internal sealed record UploadResponse(IReadOnlyList<AcceptedImage> Accepted, IReadOnlyList<RejectedFile> Rejected);

/// <summary>A stored image.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="FileName">As the client called it.</param>
/// <param name="Sha256">Hash of its bytes: the same bytes twice are one image.</param>
/// <param name="Width">Pixels, upright.</param>
/// <param name="Height">Pixels, upright.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Duplicate">It had been stored before.</param>
/// <param name="HasMask">A mask is stored with it.</param>
internal sealed record AcceptedImage(
    string Id,
    string FileName,
    string Sha256,
    int Width,
    int Height,
    ImageLabel Label,
    bool Duplicate,
    bool HasMask
);

/// <summary>A file that was not stored.</summary>
/// <param name="FileName">As the client called it.</param>
/// <param name="Code">A stable code.</param>
/// <param name="Detail">A sentence that says what to do.</param>
internal sealed record RejectedFile(string FileName, string Code, string Detail);

/// <summary>A stored image in a list.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="FileName">As the client called it.</param>
/// <param name="Sha256">Hash of its bytes.</param>
/// <param name="MediaType">What its bytes are.</param>
/// <param name="Width">Pixels, upright.</param>
/// <param name="Height">Pixels, upright.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Defect">Kind of defect, where one was named.</param>
/// <param name="HasMask">A mask is stored with it.</param>
/// <param name="CreatedAt">When it was uploaded.</param>
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
    DateTime CreatedAt
);
