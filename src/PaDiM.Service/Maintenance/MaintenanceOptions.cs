using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Maintenance;

/// <summary>Settings of scrubs and of the removal of files that nothing refers to.</summary>
internal sealed class MaintenanceOptions
{
    /// <summary>Age from which files are removed that no row refers to, in minutes.</summary>
    [Range(1, 100_000)]
    public int OrphanGraceMinutes { get; set; } = 5;

    /// <summary>
    /// Hours between two scrubs, which read every stored file and compare it with its hash; 0 to scrub on request only.
    /// </summary>
    [Range(0, 100_000)]
    public int ScrubHours { get; set; } = 24;

    /// <summary>Rate at which a scrub reads, in megabytes per second; 0 for no limit.</summary>
    [Range(0, 1_000_000)]
    public int ScrubMegabytesPerSecond { get; set; } = 50;

    /// <summary>
    /// Days after which a cached embedding that no fit has read is removed; a later fit computes it again.
    /// </summary>
    [Range(1, 100_000)]
    public int EmbeddingCacheDays { get; set; } = 30;
}
