namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>
/// Videos laid out as ShanghaiTech Campus: <c>training/frames/VIDEO/NAME.jpg</c> and
/// <c>testing/frames/VIDEO/NAME.jpg</c>. Videos are named SCENE_NUMBER; a category is a scene, which one camera that
/// stands still has seen, because each position has a distribution of its own. Scenes that are only trained on are left
/// out.
/// </summary>
/// <param name="root">The dataset's folder.</param>
/// <param name="frameStep">Every so manieth frame is taken.</param>
internal sealed class StcLayout(string root, int frameStep) : IDatasetLayout
{
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    /// <summary>Whether a folder is laid out in this way.</summary>
    public static bool IsAt(string root) =>
        Directory.Exists(Frames(root, "training")) && Directory.Exists(Frames(root, "testing"));

    public IReadOnlyList<string> Categories
    {
        get
        {
            if (!IsAt(_root))
                return [];
            var trained = Scenes("training");
            var tested = Scenes("testing");
            return tested.Except(trained).FirstOrDefault() is { } alone
                ? throw new InvalidDataException(
                    $"The scene {alone} has videos in testing/frames, but none in training/frames."
                )
                : [.. tested.Order(StringComparer.Ordinal)];
        }
    }

    public DatasetCategory Read(string category)
    {
        StcVideo[] tests =
        [
            .. Videos("testing", category)
                .Select(video => new StcVideo(_root, Path.GetFileName(video), Images("testing", video), frameStep)),
        ];
        return new DatasetCategory(
            category,
            false,
            [.. Videos("training", category).SelectMany(video => StcVideo.Every(frameStep, Images("training", video)))],
            [.. tests.SelectMany(video => video.Taken)],
            [.. tests.SelectMany(video => video.Truth)],
            () => [.. tests.SelectMany(video => video.Label())]
        );
    }

    private static string Frames(string root, string part) => Path.Combine(root, part, "frames");

    private HashSet<string> Scenes(string part) =>
        [.. Directory.EnumerateDirectories(Frames(_root, part)).Select(SceneOf)];

    private IEnumerable<string> Videos(string part, string scene) =>
        Directory
            .EnumerateDirectories(Frames(_root, part))
            .Where(video => SceneOf(video) == scene)
            .Order(StringComparer.Ordinal);

    private string SceneOf(string video) =>
        Path.GetFileName(video).Split('_', 2) is [{ Length: > 0 } scene, _] ? scene : Path.GetFileName(_root);

    /// <summary>The frames of a video in the order of their numbers, whether these are padded or not.</summary>
    private static DatasetImage[] Images(string part, string video) =>
        [
            .. ImageFolder
                .Expand([video])
                .OrderBy(file =>
                    long.TryParse(Path.GetFileNameWithoutExtension(file.Path), out var number) ? number : long.MaxValue
                )
                .Select(file => new DatasetImage(
                    $"{part}/frames/{Path.GetFileName(video)}/{Path.GetRelativePath(video, file.Path).Replace('\\', '/')}",
                    file.Path
                )),
        ];
}
