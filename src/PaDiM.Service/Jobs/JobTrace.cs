using System.Diagnostics;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Represents the span of one attempt at a job, with its stages below it. The job's identifier is also the trace
/// identifier, so all attempts in all processes are in one trace. Requests that start a job carry the identifier as
/// <c>padim.job.id</c>. Used by one thread at a time.
/// </summary>
internal sealed class JobTrace : IDisposable
{
    private readonly Activity? _attempt;
    private Activity? _stage;
    private string? _name;

    public JobTrace(Job job)
    {
        if (!Instruments.Source.HasListeners())
            return;
        var trace = new ActivityContext(ActivityTraceId.CreateFromString(job.Id), default, ActivityTraceFlags.Recorded);
        _attempt = Instruments
            .Source.StartActivity("padim.job", ActivityKind.Consumer, trace)
            ?.SetTag("padim.job.id", job.Id)
            .SetTag("padim.job.kind", job.Kind.ToString().ToLowerInvariant())
            .SetTag("padim.job.attempt", job.Attempts)
            .SetTag("padim.category", job.Category);
    }

    /// <summary>Ends the current stage and starts the next one.</summary>
    public void StartStage(string next)
    {
        if (_attempt is null || next == _name)
            return;
        var current = Activity.Current;
        _stage?.Dispose();
        _name = next;
        _stage = Instruments.Source.StartActivity($"padim.job.{next}", ActivityKind.Internal, _attempt.Context);
        // A stage starts on the thread that reports it, and must not become the parent of that thread's other spans.
        Activity.Current = current;
    }

    /// <summary>Records how the attempt ended.</summary>
    public void SetOutcome(JobOutcome outcome) =>
        _attempt
            ?.SetTag("padim.job.outcome", outcome.ToString().ToLowerInvariant())
            .SetStatus(outcome == JobOutcome.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset);

    public void Dispose()
    {
        _stage?.Dispose();
        _attempt?.Dispose();
    }
}
