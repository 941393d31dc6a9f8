namespace PaDiM.Client;

/// <summary>What uploaded images show.</summary>
public sealed record UploadOptions
{
    /// <summary>Gets the label; null for <see cref="ImageLabel.Normal"/>: a good part, which fits learn from.</summary>
    public ImageLabel? Label { get; init; }

    /// <summary>
    /// Gets the kind of defect, at most 64 characters; only of <see cref="ImageLabel.Anomalous"/> images.
    /// </summary>
    public string? Defect { get; init; }

    /// <summary>Gets whether fits leave the images out, as the good parts of a test set.</summary>
    public bool HeldOut { get; init; }

    /// <summary>Gets how many bits count in samples of more than 8; null as the category says.</summary>
    public int? SignificantBits { get; init; }
}

/// <summary>How far an upload is.</summary>
/// <param name="Files">Files that the service has answered for.</param>
/// <param name="Bytes">Bytes sent so far. A request that is sent again counts from its beginning.</param>
public readonly record struct UploadProgress(int Files, long Bytes);

/// <summary>What became of a file: it is stored, or refused.</summary>
/// <param name="FileName">Its name.</param>
/// <param name="Image">The stored image; null if it is refused.</param>
/// <param name="Error">Why it is refused; null if it is stored.</param>
public sealed record UploadResult(string FileName, AcceptedImage? Image, RejectedFile? Error);
