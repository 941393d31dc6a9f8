namespace PaDiM.Backbones.Acquisition;

/// <summary>How far a download is.</summary>
/// <param name="Bytes">Bytes that are there, those of earlier attempts included.</param>
/// <param name="Total">Bytes of the whole file; null where the server does not say.</param>
public readonly record struct DownloadProgress(long Bytes, long? Total);
