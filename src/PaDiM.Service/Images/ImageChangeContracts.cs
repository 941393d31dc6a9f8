using System.Text.Json;

namespace PaDiM.Service.Images;

/// <summary>A change of many images.</summary>
internal sealed record UpdateImagesRequest
{
    /// <summary>The images.</summary>
    public ImageSelection? Select { get; init; }

    /// <summary>What changes: any of label, defect and heldOut.</summary>
    public ImageSettings? Set { get; init; }

    /// <summary>
    /// Whether to remove the masks of images that become normal. Without it, such images are refused.
    /// </summary>
    public bool DropMasks { get; init; }

    /// <summary>Whether to count the images only, and change nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>The number of images that must be selected; otherwise nothing changes.</summary>
    public int? Expected { get; init; }
}

/// <summary>A deletion of many images.</summary>
internal sealed record DeleteImagesRequest
{
    /// <summary>The images.</summary>
    public ImageSelection? Select { get; init; }

    /// <summary>Whether to count the images only, and delete nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>
    /// The number of images that must be selected; otherwise nothing is deleted. Required unless the images are listed
    /// by their identifiers. A dry run gives it.
    /// </summary>
    public int? Expected { get; init; }
}

/// <summary>How an update of many images is read: the set is a merge patch, whose nulls count.</summary>
internal sealed record UpdateImagesBody
{
    public ImageSelection? Select { get; init; }

    public JsonElement? Set { get; init; }

    public bool DropMasks { get; init; }

    public bool DryRun { get; init; }

    public int? Expected { get; init; }
}

/// <summary>The result of a change of many images.</summary>
/// <param name="Images">Number of selected images: all of them changed, or none in a dry run.</param>
/// <param name="MasksRemoved">Number of masks that were removed with them.</param>
/// <param name="DryRun">Whether nothing was changed.</param>
internal sealed record ImagesChangedResponse(int Images, int MasksRemoved, bool DryRun);
