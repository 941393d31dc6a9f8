using PaDiM.Imaging.Decoding;

namespace PaDiM.Cli;

/// <summary>Represents an image from the command line.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Name">Its path relative to the given folder, or its file name; unique within the call.</param>
internal sealed record ImageFile(string Path, string Name);

/// <summary>Finds the images of the files and folders on the command line.</summary>
internal static class ImageFolder
{
    /// <summary>
    /// Lists the given files, and the images in the given folders and their subfolders, ordered by name.
    /// </summary>
    /// <exception cref="FileNotFoundException">A file or folder does not exist, or there are no images.</exception>
    public static IReadOnlyList<ImageFile> Expand(IReadOnlyList<string> paths)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        ImageFile[] files =
        [
            .. paths.SelectMany(Expand).Select(file => file with { Name = MakeUnique(file.Name, names) }),
        ];
        return files.Length > 0
            ? files
            : throw new FileNotFoundException(
                $"There are no images ({string.Join(", ", ImageFormats.Extensions)}) in {string.Join(", ", paths)}."
            );
    }

    /// <summary>Gets a PNG name for each image. Names that differ only in their extension stay distinct.</summary>
    public static IReadOnlyList<string> GetPngNames(IReadOnlyList<ImageFile> files)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return [.. files.Select(file => MakeUnique(Path.ChangeExtension(file.Name, ".png"), names))];
    }

    private static IEnumerable<ImageFile> Expand(string path)
    {
        if (File.Exists(path))
            return [new ImageFile(path, Path.GetFileName(path))];
        if (!Directory.Exists(path))
            throw new FileNotFoundException($"There is no file or folder {path}.");
        return Directory
            .EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(ImageFormats.HasImageExtension)
            .Order(StringComparer.Ordinal)
            .Select(file => new ImageFile(file, Path.GetRelativePath(path, file)));
    }

    private static string MakeUnique(string name, HashSet<string> taken)
    {
        var stem = Path.ChangeExtension(name, null);
        var unique = name;
        for (var i = 2; !taken.Add(unique); i++)
            unique = $"{stem}-{i}{Path.GetExtension(name)}";
        return unique;
    }
}
