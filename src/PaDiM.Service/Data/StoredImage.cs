using System.ComponentModel.DataAnnotations;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>What an image shows.</summary>
internal enum ImageLabel
{
    /// <summary>A good part, used for fits unless it is held out.</summary>
    Normal,

    /// <summary>A defective part, used for evaluations only.</summary>
    Anomalous,
}

/// <summary>An image of a category; its bytes are a blob.</summary>
internal sealed class StoredImage
{
    /// <summary>Sortable by upload time.</summary>
    [MaxLength(32)]
    public required string Id { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    [MaxLength(64)]
    public required string Sha256 { get; init; }

    /// <summary>
    /// Hash of the decoded pixels; null for images of earlier versions, and after a change of the category's depth,
    /// until the next fit.
    /// </summary>
    [MaxLength(64)]
    public string? PixelSha256 { get; init; }

    /// <summary>The client's file name: data only, never used as a path.</summary>
    [MaxLength(255)]
    public required string FileName { get; init; }

    public ImageFormat Format { get; init; }

    public int Width { get; init; }

    public int Height { get; init; }

    public long Bytes { get; init; }

    public ImageLabel Label { get; init; }

    /// <summary>Kind of defect; anomalous images only.</summary>
    [MaxLength(64)]
    public string? Defect { get; init; }

    /// <summary>Blob of the mask; anomalous images only.</summary>
    [MaxLength(64)]
    public string? MaskSha256 { get; set; }

    /// <summary>Whether fits leave the image out, as the good parts of a test set; normal images only.</summary>
    public bool HeldOut { get; init; }

    public DateTime CreatedAt { get; init; }
}
