namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>
/// Represents videos in the layout of ShanghaiTech Campus: <c>training/frames/VIDEO/NAME.jpg</c> and
/// <c>testing/frames/VIDEO/NAME.jpg</c>. Videos are named SCENE_NUMBER; a category is a scene, seen by one fixed
/// camera, because each position has its own distribution. Scenes without test videos are left out.
/// </summary>
/// <param name="root">The dataset's folder.</param>
/// <param name="frameStep">Every Nth frame is used.</param>
internal sealed class StcLayout(string root, int frameStep) : IDatasetLayout
{
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    /// <summary>Gets whether a folder has this layout.</summary>
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
                    $"The scene {alone} has videos in testing/frames but none in training/frames."
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

    /// <summary>Lists the frames of a video in numerical order; numbers may be padded or not.</summary>
    private static DatasetImage[] ListFrames(string part, string video) =>
        [
            .. ImageFolder
                .Expand([video])
                .OrderBy(file =>
                    long.TryParse(Path.GetFileNameWithoutExtension(file.Path), out var number) ? number : long.MaxValue
                )
                .Select(file => DatasetImage.Create($"{part}/frames", video, file.Path)),
        ];
}
