namespace PaDiM.Backbones.Acquisition;

/// <summary>Represents the progress of a download.</summary>
/// <param name="Bytes">The bytes downloaded, including those of earlier attempts.</param>
/// <param name="Total">The bytes of the whole file; null if the server does not say.</param>
public readonly record struct DownloadProgress(long Bytes, long? Total);
