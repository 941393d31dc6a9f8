using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PaDiM.Service.Sinks;

/// <summary>Checks what is asked of a broker.</summary>
internal static class MqttRules
{
    private const int MaxUser = 256,
        MaxPassword = 1024,
        MaxHost = 255;

    /// <summary>Gets what is wrong with the settings, as a sentence; null if nothing is.</summary>
    public static string? FindFault(MqttRequest mqtt)
    {
        if (mqtt.Host is not { Length: > 0 and <= MaxHost } host || Uri.CheckHostName(host) == UriHostNameType.Unknown)
            return "mqtt.host must be a name or an address, without scheme and port.";
        if (mqtt.Port is < 1 or > 65535)
            return "mqtt.port must be from 1 to 65535.";
        if (mqtt.Qos is < 0 or > 2)
            return "mqtt.qos must be 0, 1 or 2.";
        if (mqtt.User is { Length: 0 or > MaxUser })
            return $"mqtt.user must have 1 to {MaxUser} characters.";
        if (mqtt.Password is { Length: > MaxPassword } || mqtt.Password is not null && mqtt.User is null)
            return $"mqtt.password must have at most {MaxPassword} characters, and needs mqtt.user.";
        if (mqtt.Sparkplug?.FindFault(mqtt) is { } sparkplug)
            return $"mqtt.sparkplug {sparkplug}";
        if (TopicTemplate.FindFault(mqtt.Topic) is { } topic)
            return $"mqtt.topic {topic}";
        if (mqtt.StatusTopic is null)
            return "mqtt.statusTopic must be a text; an empty one is for none.";
        if (mqtt.StatusTopic.Length > 0)
        {
            if (TopicTemplate.FindFault(mqtt.StatusTopic) is { } status)
                return $"mqtt.statusTopic {status}";
            if (
                mqtt
                    .StatusTopic.Replace("{replica}", "", StringComparison.Ordinal)
                    .Contains('{', StringComparison.Ordinal)
            )
                return "mqtt.statusTopic may only name {replica}: it is the state of a connection, not of an inspection.";
        }
        if (
            !mqtt.Tls
            && (mqtt.CaCertificates is not null || mqtt.ClientCertificate is not null || mqtt.ClientKey is not null)
        )
            return "mqtt.caCertificates, clientCertificate and clientKey need mqtt.tls.";
        if (mqtt.ClientKey is not null && mqtt.ClientCertificate is null)
            return "mqtt.clientKey needs mqtt.clientCertificate.";
        return FindPemFault(mqtt.CaCertificates, "caCertificates", ImportAll)
            ?? FindPemFault(mqtt.ClientCertificate, "clientCertificate", ImportAll);
    }

    /// <summary>Gets what is wrong with a certificate and its key; null if nothing is.</summary>
    public static string? FindPairFault(string certificate, string? key) =>
        key is null
            ? "mqtt.clientKey is required: the key of mqtt.clientCertificate."
            : FindPemFault(
                key,
                "clientKey",
                pem =>
                {
                    using var pair = X509Certificate2.CreateFromPem(certificate, pem);
                    return 1;
                }
            );

    private static int ImportAll(string pem)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        foreach (var one in all)
            one.Dispose();
        return all.Count;
    }

    private static string? FindPemFault(string? pem, string name, Func<string, int> read)
    {
        if (pem is null)
            return null;
        try
        {
            if (pem.Length <= MqttRequest.MaxPem && read(pem) > 0)
                return null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Said below: what is thrown names no reason that would help.
        }
        return $"mqtt.{name} must be PEM of at most {MqttRequest.MaxPem} characters"
            + (
                name == "clientKey"
                    ? ", without a password, and fit the certificate."
                    : " with at least one certificate."
            );
    }
}
