using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// An image that a model was fitted to, as it was called then. It keeps no bytes: an image that is deleted goes with
/// the next sweep, so that models do not fill the disk.
/// </summary>
internal sealed class StoredModelImage
{
    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public int Version { get; init; }

    /// <summary>Position in the model's list, from 0.</summary>
    public int Position { get; init; }

    [MaxLength(64)]
    public required string Sha256 { get; init; }

    /// <summary>The client's file name; null if the image was not stored when the model was published.</summary>
    [MaxLength(255)]
    public string? FileName { get; init; }
}
