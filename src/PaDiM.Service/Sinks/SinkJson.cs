using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaDiM.Service.Sinks;

/// <summary>The JSON of events, settings and dead letters: that of the HTTP interface.</summary>
internal static class SinkJson
{
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web)
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        };
}
