using System.Globalization;
using System.Text.Json.Serialization;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary>What a version has scored in this process, in the shape of the statistics extension.</summary>
internal sealed record ModelStatistics(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("version")] string Version,
    [property: JsonPropertyName("last_inference")] long LastInference,
    [property: JsonPropertyName("inference_count")] long InferenceCount,
    [property: JsonPropertyName("execution_count")] long ExecutionCount,
    [property: JsonPropertyName("inference_stats")] IReadOnlyDictionary<string, ModelStatistics.Duration> Inference,
    [property: JsonPropertyName("batch_stats")] IReadOnlyList<object> Batches
)
{
    /// <summary>Creates the statistics of a version. Every image counts as an execution.</summary>
    public static ModelStatistics From(ScoreTally.Count count) =>
        new(
            count.Category,
            count.Version.ToString(CultureInfo.InvariantCulture),
            count.Last.ToUnixTimeMilliseconds(),
            count.Images,
            count.Images,
            new Dictionary<string, Duration>
            {
                ["success"] = Create(count.Images, count.Total),
                ["fail"] = Create(count.Failures, count.Failed),
                ["queue"] = Create(count.Images, count.Queue),
                ["compute_input"] = Create(count.Images, count.Decode),
                ["compute_infer"] = Create(count.Images, count.Infer),
                ["compute_output"] = Create(count.Images, count.Postprocess),
                ["cache_hit"] = Create(0, 0),
                ["cache_miss"] = Create(0, 0),
            },
            []
        );

    private static Duration Create(long count, double milliseconds) => new(count, (long)(milliseconds * 1_000_000));

    /// <param name="Count">How often.</param>
    /// <param name="Nanoseconds">How long, together.</param>
    internal sealed record Duration(
        [property: JsonPropertyName("count")] long Count,
        [property: JsonPropertyName("ns")] long Nanoseconds
    );
}
