using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Jobs;

/// <summary>How an attempt at a job ended.</summary>
internal enum JobOutcome
{
    Succeeded,
    Failed,
    Cancelled,

    /// <summary>Returned to the queue because the process stops.</summary>
    Released,

    /// <summary>Taken over by another worker.</summary>
    Lost,
}

/// <summary>Measures jobs: the table that all replicas share, and the attempts of this process.</summary>
internal sealed class JobMetrics
{
    /// <summary>
    /// Open jobs are few, and an index has them. Ended ones may be a million, to be counted from an index too, but that takes
    /// tens of milliseconds of the database for every replica that is scraped.
    /// </summary>
    private static readonly TimeSpan OpenLifetime = TimeSpan.FromSeconds(1),
        EndedLifetime = TimeSpan.FromMinutes(1);

    private readonly IDbContextFactory<PadimDbContext> _contexts;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Histogram<double> _attempts;
    private (long At, IReadOnlyList<Line> Lines)? _open;
    private (long At, IReadOnlyList<Line> Lines)? _ended;

    public JobMetrics(
        IMeterFactory meters,
        JobStore store,
        IDbContextFactory<PadimDbContext> contexts,
        IOptions<JobOptions> options,
        TimeProvider time
    )
    {
        _contexts = contexts;
        _time = time;
        var meter = meters.Create(Instruments.Name);
        _attempts = meter.CreateBackgroundHistogram(
            "padim.job.attempt.duration",
            "Time of attempts at jobs in this process, by kind and by outcome: "
                + "succeeded, failed, cancelled, released or lost."
        );
        meter.CreateObservableCounter(
            "padim.job.queue.refusals",
            () => store.Refusals,
            null,
            "Jobs refused with queue_full."
        );
        meter.CreateObservableGauge(
            "padim.job.queue.capacity",
            () => options.Value.JobQueueCapacity,
            null,
            "Jobs that may wait."
        );
        meter.CreateObservableGauge("padim.jobs", MeasureJobs, null, "Jobs in the table, by kind and by state.");
        meter.CreateObservableGauge(
            "padim.jobs.oldest_age",
            () => MeasureStates(line => Math.Max(0, (time.GetUtcNow().UtcDateTime - line.Since).TotalSeconds)),
            "s",
            "Age of the oldest job that waits, and of the one that has run longest, by state; 0 where there is none."
        );
        meter.CreateObservableGauge(
            "padim.jobs.attempts.max",
            () => MeasureStates(line => line.Attempts),
            null,
            "Most attempts at a job that waits or runs, by state: more than 1 after crashes."
        );
    }

    /// <summary>Records the end of an attempt.</summary>
    public void RecordAttempt(JobKind kind, JobOutcome outcome, TimeSpan duration) =>
        _attempts.Record(
            duration.TotalSeconds,
            Instruments.Tag("kind", GetName(kind)),
            Instruments.Tag("outcome", GetName(outcome))
        );

    private IEnumerable<Measurement<long>> MeasureJobs()
    {
        var counts = ReadTable().ToDictionary(line => (line.Kind, line.State), line => (long)line.Count);
        return from kind in Enum.GetValues<JobKind>()
            from state in Enum.GetValues<JobState>()
            select new Measurement<long>(
                counts.GetValueOrDefault((kind, state)),
                Instruments.Tag("kind", GetName(kind)),
                Instruments.Tag("state", GetName(state))
            );
    }

    private IEnumerable<Measurement<double>> MeasureStates(Func<Line, double> value)
    {
        var lines = ReadTable().ToList();
        return new[] { JobState.Queued, JobState.Running }.Select(state => new Measurement<double>(
            lines.Where(line => line.State == state).Select(value).DefaultIfEmpty(0).Max(),
            Instruments.Tag("state", GetName(state))
        ));
    }

    /// <summary>Reads the table, once per scrape. While the database does not answer, the series are missing.</summary>
    private IEnumerable<Line> ReadTable()
    {
        lock (_gate)
        {
            if (_open is not { } open || _time.GetElapsedTime(open.At) >= OpenLifetime)
                _open = open = (_time.GetTimestamp(), ReadOpen());
            if (_ended is not { } ended || _time.GetElapsedTime(ended.At) >= EndedLifetime)
                _ended = ended = (_time.GetTimestamp(), ReadEnded());
            return open.Lines.Concat(ended.Lines);
        }
    }

    private List<Line> ReadOpen()
    {
        using var db = _contexts.CreateDbContext();
        return
        [
            .. db
                .Jobs.Where(job => job.State == JobState.Queued || job.State == JobState.Running)
                .GroupBy(job => new { job.Kind, job.State })
                .Select(group => new
                {
                    group.Key.Kind,
                    group.Key.State,
                    Count = group.Count(),
                    Created = group.Min(job => job.CreatedAt),
                    Started = group.Min(job => job.StartedAt),
                    Attempts = group.Max(job => job.Attempts),
                })
                .AsEnumerable()
                .Select(line => new Line(
                    line.Kind,
                    line.State,
                    line.Count,
                    line.State == JobState.Running ? line.Started ?? line.Created : line.Created,
                    line.Attempts
                )),
        ];
    }

    private List<Line> ReadEnded()
    {
        using var db = _contexts.CreateDbContext();
        return
        [
            .. db
                .Jobs.Where(job =>
                    job.State == JobState.Succeeded || job.State == JobState.Failed || job.State == JobState.Cancelled
                )
                .GroupBy(job => new { job.State, job.Kind })
                .Select(group => new
                {
                    group.Key.Kind,
                    group.Key.State,
                    Count = group.Count(),
                })
                .AsEnumerable()
                .Select(line => new Line(line.Kind, line.State, line.Count, default, 0)),
        ];
    }

    private static string GetName<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    private sealed record Line(JobKind Kind, JobState State, int Count, DateTime Since, int Attempts);
}
