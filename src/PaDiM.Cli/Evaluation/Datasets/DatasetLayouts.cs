namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>The layouts of datasets by name.</summary>
internal static class DatasetLayouts
{
    public const string Auto = "auto",
        Mvtec = "mvtec",
        Stc = "stc";

    /// <summary>Opens a dataset.</summary>
    /// <param name="root">Its folder.</param>
    /// <param name="layout">A name, or <see cref="Auto"/> to go by the folders.</param>
    /// <param name="frameStep">Of videos, every so manieth frame is taken.</param>
    /// <exception cref="DirectoryNotFoundException">It holds no category.</exception>
    public static IDatasetLayout Open(string root, string layout, int frameStep)
    {
        IDatasetLayout found =
            layout == Stc || (layout == Auto && StcLayout.Matches(root))
                ? new StcLayout(root, frameStep)
                : new MvtecLayout(root);
        if (found.Categories.Count > 0)
            return found;
        throw new DirectoryNotFoundException(
            layout switch
            {
                Stc => $"{root} holds no category: videos in training/frames and in testing/frames.",
                Mvtec => $"{root} holds no category: a folder with train/good and test in it.",
                _ =>
                    $"{root} holds no category: neither a folder with train/good and test in it, nor training/frames and testing/frames.",
            }
        );
    }
}
