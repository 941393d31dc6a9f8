using System.Diagnostics;
using System.Globalization;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Creates the spans of scoring: one per image with its stages below it, and one per batch with links to all its
/// images. No span is created if nothing listens.
/// </summary>
internal static class ScoreTrace
{
    /// <summary>Starts the span of an image.</summary>
    public static Activity? StartImage() => Instruments.Source.StartActivity("padim.score");

    /// <summary>
    /// Starts the span of a pass through the backbone, in the trace of its first image and with links to all others.
    /// </summary>
    public static Activity? StartBatch(IEnumerable<ActivityContext> images)
    {
        if (!Instruments.Source.HasListeners())
            return null;
        var all = images.ToArray();
        var batch = Instruments.Source.StartActivity(
            "padim.batch",
            ActivityKind.Internal,
            all[0],
            links: all.Skip(1).Where(image => image != default).Select(image => new ActivityLink(image))
        );
        return batch?.SetTag("padim.batch.size", all.Length);
    }

    /// <summary>Writes the spans of the stages below that of their image, once their times are known.</summary>
    /// <param name="image">The span of the image.</param>
    /// <param name="batch">The span of the batch, which did embed and distance for several images at once.</param>
    /// <param name="stages">Name, start and duration of each stage, in milliseconds from the start of the
    /// image.</param>
    public static void WriteStages(
        Activity image,
        ActivityContext batch,
        params ReadOnlySpan<(string Name, double From, double Milliseconds)> stages
    )
    {
        foreach (var (name, from, milliseconds) in stages)
        {
            var start = image.StartTimeUtc.AddMilliseconds(from);
            var links = name is "embed" or "distance" && batch != default ? new[] { new ActivityLink(batch) } : null;
            using var stage = Instruments.Source.StartActivity(
                $"padim.score.{name}",
                ActivityKind.Internal,
                image.Context,
                links: links,
                startTime: start
            );
            stage?.SetEndTime(start.AddMilliseconds(milliseconds));
        }
    }

    /// <summary>Adds the result to the span of its image.</summary>
    public static void SetResult(this Activity image, ScoreResponse result, string? part) =>
        image
            .SetTag("padim.category", result.Category)
            .SetTag("padim.model.version", result.ModelVersion)
            .SetTag("padim.part_id", part)
            .SetTag("padim.score", result.Score)
            .SetTag("padim.threshold", result.Threshold)
            .SetTag("padim.decision", result.Decision.ToString().ToLower(CultureInfo.InvariantCulture));

    /// <summary>Adds the results of all categories that scored an image to its span, as events.</summary>
    public static void AddRegions(this Activity image, IEnumerable<RegionScore> results)
    {
        foreach (var result in results)
            image.AddEvent(
                new ActivityEvent(
                    "padim.region",
                    tags: new ActivityTagsCollection
                    {
                        ["padim.category"] = result.Category,
                        ["padim.model.version"] = result.ModelVersion,
                        ["padim.score"] = result.Score,
                        ["padim.threshold"] = result.Threshold,
                        ["padim.decision"] = result.Decision.ToString().ToLowerInvariant(),
                    }
                )
            );
    }

    /// <summary>Adds the problem to the span of its image.</summary>
    public static void SetProblem(this Activity image, Problem problem) =>
        image.SetStatus(ActivityStatusCode.Error, problem.Code);
}
