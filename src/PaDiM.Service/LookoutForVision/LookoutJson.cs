using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaDiM.Service.LookoutForVision;

/// <summary>JSON as the API writes it: names in Pascal case, no members without a value, times in seconds.</summary>
internal static class LookoutJson
{
    public static JsonSerializerOptions Options { get; } =
        new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Creates an answer.</summary>
    public static IResult Answer<T>(T value, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(value, Options, statusCode: status);

    /// <summary>Converts a time to seconds since 1970.</summary>
    public static double ToSeconds(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;
}
