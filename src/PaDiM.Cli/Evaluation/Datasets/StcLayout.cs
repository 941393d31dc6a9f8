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
    public static bool Matches(string root) =>
        Directory.Exists(GetFramesFolder(root, "training")) && Directory.Exists(GetFramesFolder(root, "testing"));

    public IReadOnlyList<string> Categories
    {
        get
        {
            if (!Matches(_root))
                return [];
            var trained = ListScenes("training");
            var tested = ListScenes("testing");
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
            .. ListVideos("testing", category)
                .Select(video => new StcVideo(_root, Path.GetFileName(video), ListFrames("testing", video), frameStep)),
        ];
        return new DatasetCategory(
            category,
            false,
            [
                .. ListVideos("training", category)
                    .SelectMany(video => StcVideo.TakeEvery(frameStep, ListFrames("training", video))),
            ],
            [.. tests.SelectMany(video => video.SampledFrames)],
            [.. tests.SelectMany(video => video.TruthFiles)],
            () => [.. tests.SelectMany(video => video.Label())]
        );
    }

    private static string GetFramesFolder(string root, string part) => Path.Combine(root, part, "frames");

    private HashSet<string> ListScenes(string part) =>
        [.. Directory.EnumerateDirectories(GetFramesFolder(_root, part)).Select(GetScene)];

    private IEnumerable<string> ListVideos(string part, string scene) =>
        Directory
            .EnumerateDirectories(GetFramesFolder(_root, part))
            .Where(video => GetScene(video) == scene)
            .Order(StringComparer.Ordinal);

    private string GetScene(string video) =>
        Path.GetFileName(video).Split('_', 2) is [{ Length: > 0 } scene, _] ? scene : Path.GetFileName(_root);

    /// <summary>The frames of a video in the order of their numbers, whether these are padded or not.</summary>
    private static DatasetImage[] ListFrames(string part, string video) =>
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
