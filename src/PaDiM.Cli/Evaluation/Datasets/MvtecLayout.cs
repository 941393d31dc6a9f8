namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>
/// Represents folders in the layout of MVTec AD: a category holds <c>train/good</c>, <c>test/good</c>,
/// <c>test/DEFECT</c> and <c>ground_truth/DEFECT/NAME_mask.png</c>.
/// </summary>
/// <param name="root">The folder of categories, or the folder of one category.</param>
internal sealed class MvtecLayout(string root) : IDatasetLayout
{
    private static readonly HashSet<string> Textures = new(StringComparer.Ordinal)
    {
        "carpet",
        "grid",
        "leather",
        "tile",
        "wood",
    };

    private readonly Dictionary<string, string> _folders = FindCategories(root)
        .ToDictionary(folder => Path.GetFileName(folder), StringComparer.Ordinal);

    public IReadOnlyList<string> Categories => [.. _folders.Keys.Order(StringComparer.Ordinal)];

    public DatasetCategory Read(string category)
    {
        var folder = _folders[category];
        LabelledImage[] tests =
        [
            .. Directory
                .EnumerateDirectories(Path.Combine(folder, "test"))
                .Order(StringComparer.Ordinal)
                .SelectMany(kind =>
                    ListImages(category, "test", kind).Select(image => Label(folder, Path.GetFileName(kind), image))
                ),
        ];
        return new DatasetCategory(
            category,
            Textures.Contains(category),
            ListImages(category, "train", Path.Combine(folder, "train", "good")),
            [.. tests.Select(test => test.Image)],
            [
                .. tests
                    .Where(test => test.ReadMask is not null)
                    .Select(test => GetMaskPath(folder, test.Defect!, test.Image)),
            ],
            () => tests
        );
    }

    private static IEnumerable<string> FindCategories(string root)
    {
        var whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (IsCategory(whole))
            return [whole];
        return Directory.Exists(whole) ? Directory.EnumerateDirectories(whole).Where(IsCategory) : [];
    }

    private static bool IsCategory(string folder) =>
        Directory.Exists(Path.Combine(folder, "train", "good")) && Directory.Exists(Path.Combine(folder, "test"));

    private static DatasetImage[] ListImages(string category, string part, string folder) =>
        [.. ImageFolder.Expand([folder]).Select(file => DatasetImage.Create($"{category}/{part}", folder, file.Path))];

    private static LabelledImage Label(string folder, string kind, DatasetImage image)
    {
        if (kind == "good")
            return new LabelledImage(image, null, null);
        var mask = GetMaskPath(folder, kind, image);
        return new LabelledImage(image, kind, File.Exists(mask) ? () => File.ReadAllBytes(mask) : null);
    }

    private static string GetMaskPath(string folder, string defect, DatasetImage image) =>
        Path.Combine(folder, "ground_truth", defect, $"{Path.GetFileNameWithoutExtension(image.Path)}_mask.png");
}
