namespace PaDiM.Service.Sinks;

/// <summary>A broker: MQTT 5, the inspection as JSON.</summary>
internal sealed record MqttRequest
{
    public const int MaxPem = 65536;

    /// <summary>Name or address of the broker.</summary>
    public string? Host { get; init; }

    /// <summary>Port, 1 to 65535. Default: 8883 with TLS, else 1883.</summary>
    public int? Port { get; init; }

    /// <summary>Whether to use TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>
    /// PEM with the certificates of the authorities to trust, and no others, at most 64 KiB. Default: those of the machine.
    /// </summary>
    public string? CaCertificates { get; init; }

    /// <summary>PEM with the client's certificate, at most 64 KiB; with <c>clientKey</c>.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>
    /// PEM with its key. Never returned; a stored one stays if omitted, as long as host, port and TLS do.
    /// </summary>
    public string? ClientKey { get; init; }

    /// <summary>Name of the user, at most 256 characters.</summary>
    public string? User { get; init; }

    /// <summary>
    /// Password of the user, at most 1024 characters. Never returned; a stored one stays if omitted, as long as host, port
    /// and TLS do.
    /// </summary>
    public string? Password { get; init; }

    /// <summary>
    /// Topic, at most 512 characters, with <c>{category}</c>, <c>{part}</c>, <c>{station}</c>, <c>{lot}</c>,
    /// <c>{decision}</c> and <c>{replica}</c>.
    /// </summary>
    public string Topic { get; init; } = "padim/{category}/{station}/result";

    /// <summary>Quality of service: 0 (not confirmed), 1 or 2.</summary>
    public int Qos { get; init; } = 1;

    /// <summary>Whether the broker keeps the newest inspection of each topic for those who subscribe later.</summary>
    public bool Retain { get; init; }

    /// <summary>
    /// Topic, with <c>{replica}</c>, whose retained message says whether the replica is connected; an empty text for none.
    /// </summary>
    public string StatusTopic { get; init; } = "padim/{replica}/status";

    /// <summary>
    /// Publishes as an edge node of Sparkplug B instead of JSON. Its specification says topics, quality of service and what
    /// is retained, so that these settings must be left out.
    /// </summary>
    public SparkplugRequest? Sparkplug { get; init; }

    /// <summary>Gets the port in force.</summary>
    public int GetPort() => Port ?? (Tls ? 8883 : 1883);

    /// <summary>Gets whether a password for one broker may be sent to another.</summary>
    public bool IsSameBroker(MqttRequest other) =>
        Host == other.Host
        && GetPort() == other.GetPort()
        && Tls == other.Tls
        && CaCertificates == other.CaCertificates;
}

/// <summary>A broker, without its secrets.</summary>
/// <param name="Host">Name or address of the broker.</param>
/// <param name="Port">Port.</param>
/// <param name="Tls">Whether TLS is used.</param>
/// <param name="CaCertificates">The certificates of the authorities to trust; null for those of the machine.</param>
/// <param name="ClientCertificate">The client's certificate; null without one.</param>
/// <param name="User">Name of the user; null without one.</param>
/// <param name="HasPassword">Whether there is a password.</param>
/// <param name="Topic">Topic, with placeholders.</param>
/// <param name="Qos">Quality of service.</param>
/// <param name="Retain">Whether the broker keeps the newest inspection of each topic.</param>
/// <param name="StatusTopic">Topic of the state of the connection; an empty text for none.</param>
/// <param name="Sparkplug">The edge node of Sparkplug B; null if inspections are published as JSON.</param>
internal sealed record MqttResponse(
    string Host,
    int Port,
    bool Tls,
    string? CaCertificates,
    string? ClientCertificate,
    string? User,
    bool HasPassword,
    string Topic,
    int Qos,
    bool Retain,
    string StatusTopic,
    SparkplugResponse? Sparkplug
);
