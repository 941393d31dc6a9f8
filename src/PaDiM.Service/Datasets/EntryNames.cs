using PaDiM.Service.Data;
using PaDiM.Service.Images;

namespace PaDiM.Service.Datasets;

/// <summary>
/// Gives the images of an archive their names. Within a folder, no two have the same name without its extension, also
/// not where case does not count: a mask belongs to the image of its name.
/// </summary>
internal sealed class EntryNames
{
    private const int ShortHash = 12;

    private readonly HashSet<string> _taken = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Creates the names of an image, and of its mask without the extension.</summary>
    /// <param name="image">The image.</param>
    /// <param name="extension">The extension for an image of unknown name.</param>
    public (string Name, string Mask) Create(DatasetImage image, string extension)
    {
        var folder =
            image.Label == ImageLabel.Normal
                ? $"{(image.HeldOut ? DatasetLayout.Test : DatasetLayout.Train)}/{EntryName.Good}"
                : $"{DatasetLayout.Test}/{EntryName.EncodeDefect(image.Defect)}";
        var given = EntryName.Encode(image.FileName ?? $"{image.Sha256[..ShortHash]}{extension}");
        var suffix = Path.GetExtension(given);
        // A dot at the beginning begins a name, and what is long is no extension.
        if (suffix.Length is 0 or > 16 || suffix.Length == given.Length)
            suffix = "";
        var stem = given[..^suffix.Length];
        var name = EntryName.Cut(stem, suffix);
        for (var attempt = 1; !_taken.Add($"{folder}/{name}"); attempt++)
        {
            var mark = $"-{image.Sha256[..ShortHash]}{(attempt == 1 ? "" : $"-{attempt}")}";
            name = EntryName.Cut(stem, mark + suffix) + mark;
        }
        var mask = $"{DatasetLayout.GroundTruth}/{EntryName.EncodeDefect(image.Defect)}/{name}{MaskName.Suffix}";
        return ($"{folder}/{name}{suffix}", mask);
    }
}
