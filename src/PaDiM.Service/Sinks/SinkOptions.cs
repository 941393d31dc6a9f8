using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Sinks;

/// <summary>What sinks may take of this replica, and where their secrets are sealed.</summary>
internal sealed class SinkOptions
{
    /// <summary>Inspections that may wait in the memory of this replica, per sink; then the oldest is dropped.</summary>
    [Range(1, 1_000_000)]
    public int SinkQueueCapacity { get; set; } = 10_000;

    /// <summary>Dead letters that are kept per sink; then the oldest are dropped.</summary>
    [Range(0, 1_000_000)]
    public int SinkDeadLetters { get; set; } = 10_000;

    /// <summary>How long sinks still send after the stop signal; the rest becomes dead letters.</summary>
    [Range(0, 20)]
    public int SinkFlushSeconds { get; set; } = 5;

    /// <summary>Bytes of images that may wait in the memory of this replica, per sink; then lines go without.</summary>
    [Range(0, 1L << 40)]
    public long SinkImageBytes { get; set; } = 64 << 20;

    /// <summary>Directory below which sinks write; <c>sinks</c> in the data directory by default.</summary>
    public string? SinkDirectory { get; set; }

    /// <summary>
    /// File with the key that seals the secrets of sinks in the database: at least 32 characters, the same on every
    /// replica. With SQLite, a new one in the data directory by default.
    /// </summary>
    public string? SinkKeyFile { get; set; }
}
