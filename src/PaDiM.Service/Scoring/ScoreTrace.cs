using System.Diagnostics;
using System.Globalization;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Spans of scoring: one an image with its stages below it, one a batch with links to all its images. None is made
/// while nobody listens.
/// </summary>
internal static class ScoreTrace
{
    /// <summary>The span of an image.</summary>
    public static Activity? StartImage() => Instruments.Source.StartActivity("padim.score");

    /// <summary>
    /// The span of a pass through the backbone: part of the trace of its first image, linked to all others.
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

    /// <summary>Writes the stages below the span of their image, now that their times are known.</summary>
    /// <param name="image">The span.</param>
    /// <param name="batch">Where embed and distance were done, for several images at once.</param>
    /// <param name="stages">Where each begins and how long it takes, in milliseconds from the start of the
    /// image.</param>
    public static void Write(
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

    /// <summary>Tells the result on the span of its image.</summary>
    public static void Tell(this Activity image, ScoreResponse result, string? part) =>
        image
            .SetTag("padim.category", result.Category)
            .SetTag("padim.model.version", result.ModelVersion)
            .SetTag("padim.part_id", part)
            .SetTag("padim.score", result.Score)
            .SetTag("padim.threshold", result.Threshold)
            .SetTag("padim.decision", result.Decision.ToString().ToLower(CultureInfo.InvariantCulture));

    /// <summary>Tells the problem on the span of its image.</summary>
    public static void Tell(this Activity image, Problem problem) =>
        image.SetStatus(ActivityStatusCode.Error, problem.Code);
}
