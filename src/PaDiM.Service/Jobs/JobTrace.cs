using System.Diagnostics;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Jobs;

/// <summary>
/// The span of one attempt at a job, with its stages below it. The identifier of a job is that of its trace: all
/// attempts, whichever process makes them, stand in one, and whoever has the job finds it. Requests that start a job
/// carry its identifier as <c>padim.job.id</c>. Used by one thread at a time.
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

    /// <summary>The job has come to a stage; the one before has ended.</summary>
    public void Enter(string next)
    {
        if (_attempt is null || next == _name)
            return;
        var current = Activity.Current;
        _stage?.Dispose();
        _name = next;
        _stage = Instruments.Source.StartActivity($"padim.job.{next}", ActivityKind.Internal, _attempt.Context);
        // Stages begin on whatever thread tells of them, and must not become the parents of what else it does.
        Activity.Current = current;
    }

    /// <summary>How the attempt came to its end.</summary>
    public void End(JobOutcome outcome) =>
        _attempt
            ?.SetTag("padim.job.outcome", outcome.ToString().ToLowerInvariant())
            .SetStatus(outcome == JobOutcome.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset);

    public void Dispose()
    {
        _stage?.Dispose();
        _attempt?.Dispose();
    }
}
