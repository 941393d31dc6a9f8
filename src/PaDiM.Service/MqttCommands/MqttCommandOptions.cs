using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Sinks;

namespace PaDiM.Service.MqttCommands;

/// <summary>The section of MQTT commands.</summary>
internal sealed class MqttCommandOptions : IValidatableObject
{
    /// <summary>The broker and the topics.</summary>
    public MqttCommandSettings Mqtt { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Mqtt.FindFaults().Select(fault => new ValidationResult($"Mqtt:{fault}"));
}

/// <summary>A broker over which scores are asked for. Nothing is connected to without a host.</summary>
internal sealed class MqttCommandSettings
{
    /// <summary>Name or address of the broker; null for none.</summary>
    public string? Host { get; set; }

    /// <summary>Port; null for 8883 with TLS, else 1883.</summary>
    public int? Port { get; set; }

    /// <summary>Whether to use TLS.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file with the authorities to trust, and no others; null for those of the machine.</summary>
    public string? CaFile { get; set; }

    /// <summary>PEM file with the client's certificate; null without one.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file with its key.</summary>
    public string? KeyFile { get; set; }

    /// <summary>Name of the user; null for none.</summary>
    public string? User { get; set; }

    /// <summary>File with the password of the user.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>Topic of commands; one level is <c>{category}</c>.</summary>
    public string Topic { get; set; } = "padim/{category}/score";

    /// <summary>Topic of answers to commands that name none; one level is <c>{category}</c>.</summary>
    public string ResultTopic { get; set; } = "padim/{category}/result";

    /// <summary>
    /// Name of the shared subscription: of the replicas that have it, one gets each command. An empty text for none: every
    /// replica gets each command, at a broker that cannot share.
    /// </summary>
    public string Share { get; set; } = "padim";

    /// <summary>Commands in progress at a time, 1 to 1000. The broker holds further ones back.</summary>
    public int MaxCommands { get; set; } = 16;

    /// <summary>Directory below which commands may name images; null for commands that carry them only.</summary>
    public string? ImageDirectory { get; set; }

    /// <summary>Gets what is wrong with the settings.</summary>
    public IEnumerable<string> FindFaults()
    {
        if (Host is null)
            yield break;
        var broker = ToRequest(certificates: false);
        if (MqttRules.FindFault(broker) is { } fault)
            yield return fault.Replace("mqtt.", "", StringComparison.Ordinal);
        if (!Tls && (CaFile ?? CertificateFile ?? KeyFile) is not null)
            yield return "CaFile, CertificateFile and KeyFile need Tls.";
        if (CertificateFile is null != KeyFile is null)
            yield return "CertificateFile and KeyFile belong together.";
        if (PasswordFile is not null && User is null)
            yield return "PasswordFile needs User.";
        if (!CommandTopic.TryParse(Topic, out var commands))
            yield return $"Topic {CommandTopic.Expected}";
        if (!CommandTopic.TryParse(ResultTopic, out var results))
            yield return $"ResultTopic {CommandTopic.Expected}";
        if (commands is not null && results is not null && commands.FindCategory(results.Fill("a")) is not null)
            yield return "ResultTopic must differ from Topic: answers would become commands.";
        if (Share.Length > 0 && !TopicTemplate.IsLevel(Share))
            yield return "Share must be a name without '/', '+' and '#'.";
        if (MaxCommands is < 1 or > 1000)
            yield return "MaxCommands must be from 1 to 1000.";
        if (ImageDirectory is not null && !Path.IsPathFullyQualified(ImageDirectory))
            yield return "ImageDirectory must be an absolute path.";
    }

    /// <summary>Gets what to subscribe to.</summary>
    public string GetFilter(CommandTopic topic) => Share.Length == 0 ? topic.Filter : $"$share/{Share}/{topic.Filter}";

    /// <summary>Gets the broker. The files are read again for each connection, so that they can be replaced.</summary>
    public MqttRequest ToRequest(bool certificates = true) =>
        new()
        {
            Host = Host,
            Port = Port,
            Tls = Tls,
            User = User,
            CaCertificates = certificates ? Read(CaFile) : null,
            ClientCertificate = certificates ? Read(CertificateFile) : null,
        };

    /// <summary>Gets what the broker checks.</summary>
    public SinkSecrets ToSecrets() =>
        new() { MqttPassword = Read(PasswordFile)?.TrimEnd('\r', '\n'), MqttKey = Read(KeyFile) };

    private static string? Read(string? file) => file is null ? null : File.ReadAllText(file);
}
