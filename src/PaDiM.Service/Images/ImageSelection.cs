using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// The images of a category that a change is about: those of a list, or all that meet every condition.
/// </summary>
internal sealed record ImageSelection
{
    private const int MaxIds = 10_000;

    /// <summary>Identifiers of images, 1 to 10000; every one must exist. Without other members.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>Every image of the category. Without other members.</summary>
    public bool All { get; init; }

    /// <summary>Images with this label.</summary>
    public ImageLabel? Label { get; init; }

    /// <summary>Images with this kind of defect.</summary>
    public string? Defect { get; init; }

    /// <summary>Images with a kind of defect, or without one.</summary>
    public bool? HasDefect { get; init; }

    /// <summary>Images with a mask, or without one.</summary>
    public bool? HasMask { get; init; }

    /// <summary>Images that are held out from fits, or those that are not.</summary>
    public bool? HeldOut { get; init; }

    /// <summary>Images uploaded at this time or later.</summary>
    public DateTimeOffset? UploadedAfter { get; init; }

    /// <summary>Images uploaded before this time.</summary>
    public DateTimeOffset? UploadedBefore { get; init; }

    /// <summary>
    /// Gets whether it is a list, which needs no confirmation: it says itself how many images there are.
    /// </summary>
    public bool IsList() => Ids is not null;

    /// <summary>Gets the problem with a selection that is empty or contradicts itself, or null.</summary>
    public Problem? Check()
    {
        var conditions = this with { Ids = null, All = false } != new ImageSelection();
        return (Ids is not null ? 1 : 0) + (All ? 1 : 0) + (conditions ? 1 : 0) != 1
                ? Problems.InvalidRequest(
                    "select must have either ids, or conditions (such as label, defect or uploadedBefore), or all: "
                        + "true "
                        + "for every image of the category."
                )
            : Ids is { Count: 0 or > MaxIds } ? Problems.InvalidRequest($"ids must have 1 to {MaxIds} entries.")
            : Ids?.Contains(null!) is true ? Problems.InvalidRequest("ids must not have null for an entry.")
            : null;
    }

    /// <summary>Gets the selected images of a category.</summary>
    public IQueryable<StoredImage> Apply(IQueryable<StoredImage> images, string category)
    {
        var selected = images.Where(i => i.Category == category);
        if (Ids is { } ids)
            selected = selected.Where(i => ids.Contains(i.Id));
        if (Label is { } label)
            selected = selected.Where(i => i.Label == label);
        if (Defect is { } defect)
            selected = selected.Where(i => i.Defect == defect);
        if (HasDefect is { } hasDefect)
            selected = selected.Where(i => (i.Defect != null) == hasDefect);
        if (HasMask is { } hasMask)
            selected = selected.Where(i => (i.MaskSha256 != null) == hasMask);
        if (HeldOut is { } heldOut)
            selected = selected.Where(i => i.HeldOut == heldOut);
        if (UploadedAfter?.UtcDateTime is { } from)
            selected = selected.Where(i => i.CreatedAt >= from);
        if (UploadedBefore?.UtcDateTime is { } to)
            selected = selected.Where(i => i.CreatedAt < to);
        return selected;
    }
}
