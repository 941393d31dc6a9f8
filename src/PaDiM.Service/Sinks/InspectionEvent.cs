using System.Text.Json;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;

namespace PaDiM.Service.Sinks;

/// <summary>Writes an inspection as a CloudEvent.</summary>
internal static class InspectionEvent
{
    /// <summary>The type of the event of an inspection.</summary>
    public const string InspectionType = "padim.inspection";

    /// <summary>The type of the event of a test.</summary>
    public const string TestType = "padim.test";

    private static readonly JsonEventFormatter Formatter = new(SinkJson.Options, new JsonDocumentOptions());

    /// <summary>Gets the JSON of the event. The source and the identifier together are unique.</summary>
    public static ReadOnlyMemory<byte> Write(SinkMessage message)
    {
        var inspection = message.Inspection;
        return Formatter.EncodeStructuredModeMessage(
            new CloudEvent(CloudEventsSpecVersion.V1_0)
            {
                Id = inspection.Id,
                Source = new Uri($"/v1/categories/{inspection.Category}", UriKind.Relative),
                Type = message.IsTest ? TestType : InspectionType,
                Subject = string.IsNullOrEmpty(inspection.Part) ? null : inspection.Part,
                Time = new DateTimeOffset(inspection.At, TimeSpan.Zero),
                DataContentType = "application/json",
                Data = inspection,
            },
            out _
        );
    }
}
