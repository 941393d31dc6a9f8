using PaDiM.Onnx.Pipelines;

namespace PaDiM.Cli.Evaluation;

/// <summary>A category laid out as MVTec AD: <c>train/good</c>, <c>test/good</c>, <c>test/DEFECT</c> and <c>ground_truth/DEFECT/NAME_mask.png</c>.</summary>
/// <param name="path">The category's folder.</param>
internal sealed class MvtecFolder(string path)
{
    private static readonly HashSet<string> Textures = new(StringComparer.Ordinal) { "carpet", "grid", "leather", "tile", "wood" };

    /// <summary>The folder's name.</summary>
    public string Name { get; } = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    /// <summary>It is one of the dataset's textures, which the paper averages apart from its objects.</summary>
    public bool IsTexture => Textures.Contains(Name);

    /// <summary>Images to fit.</summary>
    public IReadOnlyList<ImageFile> Training => ImageFolder.Expand([Path.Combine(path, "train", "good")]);

    /// <summary>Images to measure on. A defective image without a mask counts for the image metrics only.</summary>
    public IReadOnlyList<TestImage> Tests() =>
    [
        .. Directory.EnumerateDirectories(Path.Combine(path, "test")).Order(StringComparer.Ordinal)
            .SelectMany(folder => ImageFolder.Expand([folder]).Select(file => ToTest(Path.GetFileName(folder), file.Path))),
    ];

    /// <summary>The categories below a root, by name; the root itself where it is one.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none.</exception>
    public static IReadOnlyList<MvtecFolder> Find(string root)
    {
        if (IsCategory(root)) return [new MvtecFolder(root)];
        MvtecFolder[] found = Directory.Exists(root) ? [.. Directory.EnumerateDirectories(root).Where(IsCategory).Order(StringComparer.Ordinal).Select(folder => new MvtecFolder(folder))] : [];
        return found.Length > 0 ? found : throw new DirectoryNotFoundException($"{root} holds no category: a folder with train/good and test in it.");
    }

    private static bool IsCategory(string folder) => Directory.Exists(Path.Combine(folder, "train", "good")) && Directory.Exists(Path.Combine(folder, "test"));

    private TestImage ToTest(string defect, string file)
    {
        var mask = Path.Combine(path, "ground_truth", defect, $"{Path.GetFileNameWithoutExtension(file)}_mask.png");
        var normal = defect == "good";
        return new TestImage(file, normal ? null : defect, () => File.ReadAllBytes(file), !normal && File.Exists(mask) ? () => File.ReadAllBytes(mask) : null);
    }
}
