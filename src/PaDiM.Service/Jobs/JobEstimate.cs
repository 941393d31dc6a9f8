namespace PaDiM.Service.Jobs;

/// <summary>What a job was expected to need when it was asked for.</summary>
internal sealed record JobEstimate
{
    /// <summary>Peak memory of the process, in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Size of the model, in bytes.</summary>
    public long ModelBytes { get; init; }

    /// <summary>Size of the statistics kept beside it, in bytes.</summary>
    public long StatisticsBytes { get; init; }

    /// <summary>
    /// All that it adds to the disk, in bytes: model, statistics, and the embeddings of images that have none yet.
    /// </summary>
    public long DiskBytes { get; init; }

    /// <summary>
    /// Time from its start to its end, in seconds, at the pace of earlier fits with these settings; null before there
    /// was one.
    /// </summary>
    public double? Seconds { get; init; }
}
