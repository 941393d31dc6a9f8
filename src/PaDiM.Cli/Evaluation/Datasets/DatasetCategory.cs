namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>Represents an image of a dataset.</summary>
/// <param name="Name">Its path in the dataset, with forward slashes: the same on every machine.</param>
/// <param name="Path">Its path on this machine.</param>
internal sealed record DatasetImage(string Name, string Path)
{
    /// <summary>Creates an image from a file in a folder of the dataset.</summary>
    /// <param name="parent">The path of the folder's parent in the dataset.</param>
    /// <param name="folder">The folder on this machine.</param>
    /// <param name="file">The file in the folder or its subfolders.</param>
    public static DatasetImage Create(string parent, string folder, string file)
    {
        var relative = System.IO.Path.GetRelativePath(folder, file).Replace('\\', '/');
        return new DatasetImage($"{parent}/{System.IO.Path.GetFileName(folder)}/{relative}", file);
    }
}

/// <summary>Represents a test image with its ground truth.</summary>
/// <param name="Image">The image.</param>
/// <param name="Defect">Its kind of defect; null for a normal image.</param>
/// <param name="ReadMask">Reads its mask as an encoded image; null if there is none, and the image counts for the image
/// metrics only.</param>
internal sealed record LabelledImage(DatasetImage Image, string? Defect, Func<byte[]>? ReadMask);

/// <summary>Represents a category of a dataset: the images that one model is fitted to and measured on.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsTexture">Whether it is a texture, which the paper averages separately from objects.</param>
/// <param name="Training">The images of normal parts.</param>
/// <param name="Testing">The images to measure on.</param>
/// <param name="Truth">The files that hold masks and labels.</param>
/// <param name="Label">Pairs test images with their ground truth, in order. May read all masks.</param>
internal sealed record DatasetCategory(
    string Name,
    bool IsTexture,
    IReadOnlyList<DatasetImage> Training,
    IReadOnlyList<DatasetImage> Testing,
    IReadOnlyList<string> Truth,
    Func<IReadOnlyList<LabelledImage>> Label
);
