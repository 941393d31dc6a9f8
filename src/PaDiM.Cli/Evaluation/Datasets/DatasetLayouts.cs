namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>Opens datasets by the name of their layout.</summary>
internal static class DatasetLayouts
{
    public const string Auto = "auto",
        Mvtec = "mvtec",
        Stc = "stc";

    /// <summary>Opens a dataset.</summary>
    /// <param name="root">Its folder.</param>
    /// <param name="layout">A name, or <see cref="Auto"/> to detect the layout from the folders.</param>
    /// <param name="frameStep">For videos, every Nth frame is used.</param>
    /// <exception cref="DirectoryNotFoundException">It has no category.</exception>
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
                Stc => $"{root} has no category: expected videos in training/frames and testing/frames.",
                Mvtec => $"{root} has no category: expected a folder with train/good and test.",
                _ => $"{root} has no category: expected a folder with train/good and test, "
                    + "or videos in training/frames and testing/frames.",
            }
        );
    }
}
