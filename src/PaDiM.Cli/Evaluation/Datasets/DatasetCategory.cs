namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>An image of a dataset.</summary>
/// <param name="Name">Its place in the dataset, with forward slashes: the same on every machine.</param>
/// <param name="Path">Where it lies on this one.</param>
internal sealed record DatasetImage(string Name, string Path);

/// <summary>A test image with its truth.</summary>
/// <param name="Image">The image.</param>
/// <param name="Defect">Kind of defect; null for a normal image.</param>
/// <param name="ReadMask">Reads its mask as an encoded image; null where there is none, and the image counts for the
/// image metrics only.</param>
internal sealed record LabelledImage(DatasetImage Image, string? Defect, Func<byte[]>? ReadMask);

/// <summary>A category of a dataset: what one model is fitted to and measured on.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsTexture">It is a texture, which the paper averages apart from objects.</param>
/// <param name="Training">Images of normal parts.</param>
/// <param name="Testing">Images to measure on.</param>
/// <param name="Truth">Files that hold masks and labels.</param>
/// <param name="Label">Pairs test images with their truth, in order; may have to read all masks.</param>
internal sealed record DatasetCategory(
    string Name,
    bool IsTexture,
    IReadOnlyList<DatasetImage> Training,
    IReadOnlyList<DatasetImage> Testing,
    IReadOnlyList<string> Truth,
    Func<IReadOnlyList<LabelledImage>> Label
);
