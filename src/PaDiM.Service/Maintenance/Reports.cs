using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaDiM.Service.Maintenance;

/// <summary>How reports are written outside of requests: on a terminal and beside the data.</summary>
internal static class Reports
{
    public static JsonSerializerOptions Json { get; } =
        new(JsonSerializerOptions.Web)
        {
            WriteIndented = true,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
            // For a terminal, not for a web page.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
}
