namespace PaDiM.Service.Data;

/// <summary>
/// The permits for requests that a caller has left, on all replicas together; with PostgreSQL only. Worth nothing after a
/// minute, so the table is not logged: it is empty after a crash of the server.
/// </summary>
internal sealed class RequestBucket
{
    /// <summary>The SHA-256 of the key's identifier or the token's subject.</summary>
    public required string Caller { get; init; }

    /// <summary>The permits at <see cref="At"/>.</summary>
    public double Level { get; set; }

    public DateTime At { get; set; }

    /// <summary>The permits that the last statement took.</summary>
    public double Granted { get; set; }
}
