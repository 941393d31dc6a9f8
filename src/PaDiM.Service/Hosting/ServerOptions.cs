using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Hosting;

/// <summary>Settings of the server process: connections, shutdown and log.</summary>
internal sealed class ServerOptions
{
    /// <summary>Maximum number of connections; further ones are closed at once.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>
    /// How long the service keeps listening after SIGTERM, in seconds, while readiness answers 503: time for a load
    /// balancer to notice.
    /// </summary>
    [Range(0, 600)]
    public int DrainSeconds { get; set; }

    /// <summary>Format of log lines.</summary>
    public LogFormat LogFormat { get; set; }
}

/// <summary>Formats of log lines.</summary>
internal enum LogFormat
{
    /// <summary>Plain text.</summary>
    Plain,

    /// <summary>One JSON object per line.</summary>
    Json,
}
