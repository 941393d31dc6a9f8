using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MQTTnet;
using MQTTnet.Packets;
using PaDiM.Imaging;
using PaDiM.Service.Http;

namespace PaDiM.Service.MqttCommands;

/// <summary>A command as it came: who asks for what, and the image or its name.</summary>
/// <param name="Category">The category, as the topic has it.</param>
/// <param name="Payload">The image, or the object that names it.</param>
/// <param name="Properties">The user properties.</param>
/// <param name="ContentType">What the payload is; null where it is not said.</param>
/// <param name="DeadlineMs">How long an answer is of use, in milliseconds; null for always.</param>
internal sealed record MqttCommand(
    string Category,
    byte[] Payload,
    IReadOnlyDictionary<string, string> Properties,
    string? ContentType,
    int? DeadlineMs
)
{
    public const string DeadlineProperty = "deadlineMs";

    private const string Json = "application/json";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
    };

    /// <summary>Gets whether the payload names the image, in JSON.</summary>
    public bool NamesImage =>
        ContentType?.Split(';')[0].Trim().Equals(Json, StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>Copies a message, whose memory is used again.</summary>
    public static MqttCommand From(string category, MqttApplicationMessage message)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in message.UserProperties ?? [])
            properties[property.Name] = property.ReadValueAsString();
        int? deadline =
            int.TryParse(
                properties.GetValueOrDefault(DeadlineProperty),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var wished
            )
            && wished > 0
                ? wished
                : null;
        // The broker subtracts how long the message has waited.
        if (message.MessageExpiryInterval is > 0 and var seconds)
            deadline = (int)Math.Min(deadline ?? int.MaxValue, Math.Min(seconds * 1000L, int.MaxValue));
        return new MqttCommand(category, message.Payload.ToArray(), properties, message.ContentType, deadline);
    }

    /// <summary>Reads what is asked for.</summary>
    public Outcome<ScoreCommand> Parse()
    {
        try
        {
            if (NamesImage)
                return JsonSerializer.Deserialize<ScoreCommand>(Payload, Options) is { Path: not null } named
                    ? named
                    : Problems.InvalidRequest("A JSON object as payload must name an image: \"path\".");
        }
        catch (JsonException e)
        {
            return Problems.InvalidRequest(
                $"The payload is not the JSON object of a command (line {e.LineNumber + 1}); see docs/mqtt.md."
            );
        }
        foreach (var name in new[] { "model", "width", "height", "significantBits" })
            if (Properties.TryGetValue(name, out var text) && !int.TryParse(text, out _))
                return Problems.InvalidRequest($"The user property {name} must be a whole number.");
        if (Properties.TryGetValue("format", out var format) && !Choice<PixelFormat>.TryParse(format, null, out _))
            return Problems.InvalidRequest("The user property format must be a format of raw pixels, such as rgb24.");
        return new ScoreCommand
        {
            PartId = Properties.GetValueOrDefault("partId"),
            StationId = Properties.GetValueOrDefault("stationId"),
            LotId = Properties.GetValueOrDefault("lotId"),
            InspectionId = Properties.GetValueOrDefault("inspectionId"),
            Model = GetNumber("model"),
            SignificantBits = GetNumber("significantBits"),
            Width = GetNumber("width"),
            Height = GetNumber("height"),
            Format = Choice<PixelFormat>.TryParse(format, null, out var choice) ? choice.Value : null,
        };
    }

    private int? GetNumber(string name) =>
        Properties.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>What a command asks for: as a JSON object that names an image, or from its user properties.</summary>
internal sealed record ScoreCommand
{
    /// <summary>Path of the image below the directory of images; null if the payload is the image.</summary>
    public string? Path { get; init; }

    public string? PartId { get; init; }

    public string? StationId { get; init; }

    public string? LotId { get; init; }

    public string? InspectionId { get; init; }

    /// <summary>The version that scores; null for the active one.</summary>
    public int? Model { get; init; }

    public int? SignificantBits { get; init; }

    /// <summary>Width of raw pixels; with height and format.</summary>
    [JsonIgnore]
    public int? Width { get; init; }

    [JsonIgnore]
    public int? Height { get; init; }

    [JsonIgnore]
    public PixelFormat? Format { get; init; }
}
