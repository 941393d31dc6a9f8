using System.Collections.Concurrent;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Counts what each version has scored since the process began. Metrics do not name versions, whose number grows.
/// Thread-safe.
/// </summary>
internal sealed class ScoreTally(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Category, int Version), Count> _counts = new();

    /// <summary>Gets the counts, by category and version.</summary>
    public IEnumerable<Count> List() =>
        _counts.Values.OrderBy(count => count.Category, StringComparer.Ordinal).ThenBy(count => count.Version);

    /// <summary>Counts an image that a model has scored.</summary>
    public void Record(CategoryModel model, Timings times)
    {
        var count = Get(model);
        lock (count)
        {
            count.Images++;
            count.Last = time.GetUtcNow();
            count.Queue += times.Queue;
            count.Decode += times.Decode;
            count.Infer += times.Embed + times.Distance;
            count.Postprocess += times.Postprocess;
            count.Total += times.Total;
        }
    }

    /// <summary>Counts an image that a model could not score.</summary>
    public void RecordFailure(CategoryModel model, double milliseconds)
    {
        var count = Get(model);
        lock (count)
        {
            count.Failures++;
            count.Failed += milliseconds;
        }
    }

    private Count Get(CategoryModel model) =>
        _counts.GetOrAdd(
            (model.Category, model.Version),
            static key => new Count { Category = key.Category, Version = key.Version }
        );

    /// <summary>What one version has scored; times in milliseconds, of all images together.</summary>
    internal sealed class Count
    {
        public required string Category { get; init; }

        public required int Version { get; init; }

        /// <summary>Gets or sets when the last image was scored; the epoch if none was.</summary>
        public DateTimeOffset Last { get; set; } = DateTimeOffset.UnixEpoch;

        public long Images { get; set; }

        public long Failures { get; set; }

        public double Failed { get; set; }

        public double Queue { get; set; }

        public double Decode { get; set; }

        public double Infer { get; set; }

        public double Postprocess { get; set; }

        public double Total { get; set; }
    }
}
