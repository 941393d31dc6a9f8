using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Hosting;

/// <summary>Settings of the server process: connections, shutdown and log.</summary>
internal sealed class ServerOptions : IValidatableObject
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

    /// <summary>
    /// Address for gRPC without TLS, such as <c>http://localhost:8081</c>; null for none. Over TLS, gRPC works at every
    /// address.
    /// </summary>
    public string? GrpcUrl { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (GrpcUrl is not null && !GrpcAddress.IsValid(GrpcUrl))
            yield return new ValidationResult(
                $"GrpcUrl is '{GrpcUrl}', which is not an address such as http://localhost:8081: http, a host and a port.",
                [nameof(GrpcUrl)]
            );
    }
}

/// <summary>Formats of log lines.</summary>
internal enum LogFormat
{
    /// <summary>Plain text.</summary>
    Plain,

    /// <summary>One JSON object per line.</summary>
    Json,
}
