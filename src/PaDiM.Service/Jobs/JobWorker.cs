using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Faults;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Jobs;

/// <summary>Claims jobs one by one and runs them; a heartbeat renews the lease meanwhile.</summary>
internal sealed partial class JobWorker(
    JobStore store,
    IJobLeases leases,
    JobSignal signal,
    SuccessNotices notices,
    JobMetrics metrics,
    DeviceWatch device,
    HealthCheckService health,
    IServiceProvider services,
    IOptions<JobOptions> options,
    IOptions<RoleOptions> role,
    TimeProvider time,
    ILogger<JobWorker> logger
) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1),
        Beat = TimeSpan.FromMilliseconds(500),
        AwayPause = TimeSpan.FromSeconds(5),
        UnfitPause = TimeSpan.FromSeconds(5);

    private readonly string _name = $"{Environment.MachineName}/{Environment.ProcessId}";
    private int _isUnfit;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, role.Value.Workers).Select(_ => WorkAsync(stoppingToken)));

    private async Task WorkAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // A replica that can finish no job would fail them all, one by one.
                if (!await IsFitAsync(stopping))
                    await Task.Delay(UnfitPause, time, stopping);
                else if (await leases.ClaimAsync(_name, stopping) is { } job)
                    await RunAsync(job, stopping);
                else
                    await signal.WaitAsync(Poll, time, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The database may be unavailable for a while; the queue is still there afterwards.
                LogQueueFailure(e);
                await Task.Delay(Poll, time, CancellationToken.None);
            }
        }
    }

    private async Task<bool> IsFitAsync(CancellationToken stopping)
    {
        var report = await health.CheckHealthAsync(check => check.Tags.Contains(HealthTags.Job), stopping);
        var isFit = report.Status != HealthStatus.Unhealthy;
        if (Interlocked.Exchange(ref _isUnfit, isFit ? 0 : 1) == 0 && !isFit)
            LogUnfit(string.Join(" ", report.Entries.Values.Select(entry => entry.Description).OfType<string>()));
        return isFit;
    }

    private async Task RunAsync(Job job, CancellationToken stopping)
    {
        using var trace = new JobTrace(job);
        var context = new JobContext(job, trace, time);
        var began = time.GetTimestamp();
        var outcome = JobOutcome.Failed;
        LogStarted(job.Kind, job.Id, job.Category, job.Attempts);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var done = new CancellationTokenSource();
        var heartbeat = BeatAsync(context, stop, done.Token);
        try
        {
            outcome = await AttemptAsync(context, stop.Token);
        }
        finally
        {
            trace.SetOutcome(outcome);
            metrics.RecordAttempt(job.Kind, outcome, time.GetElapsedTime(began));
            await done.CancelAsync();
            await heartbeat;
        }
    }

    private async Task<JobOutcome> AttemptAsync(JobContext context, CancellationToken stop)
    {
        var job = context.Job;
        try
        {
            using var running = notices.Begin(job.Id);
            await services.GetRequiredKeyedService<JobHandler>(job.Kind)(context, stop);
            LogSucceeded(job.Kind, job.Id, job.Category);
            return JobOutcome.Succeeded;
        }
        catch (OperationCanceledException)
        {
            return await StopAsync(context, stop.IsCancellationRequested);
        }
        catch (Exception e) when (ObjectStoreAwayException.IsCauseOf(e) && !stop.IsCancellationRequested)
        {
            // The images and the models are still there afterwards, and so are the embeddings of this attempt.
            LogAway(job.Kind, job.Id, e.Message);
            await Task.Delay(AwayPause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await StopAsync(context, wasStopped: true);
        }
        catch (UserFaultException e)
        {
            LogFailed(job.Kind, job.Id, e.Fault.Code, e.Fault.Detail);
            await FailAsync(context.Lease, e.Fault);
            return JobOutcome.Failed;
        }
        catch (Exception e)
        {
            LogUnexpected(e, job.Kind, job.Id);
            if (e is OnnxRuntimeException)
                device.RecordFailure(e);
            await FailAsync(context.Lease, ExceptionProblems.ToProblem(e).Fault);
            return JobOutcome.Failed;
        }
    }

    /// <summary>
    /// Settles a job whose work was cancelled. The row knows the reason: the work may have noticed it before the
    /// heartbeat did.
    /// </summary>
    private async Task<JobOutcome> StopAsync(JobContext context, bool wasStopped)
    {
        var lease = await leases.RenewAsync(context.Lease, context.Progress, CancellationToken.None);
        LogStopped(context.Job.Kind, context.Job.Id, lease);
        switch (lease)
        {
            case LeaseState.CancelRequested:
                await store.FinishAsync(context.Lease, JobState.Cancelled, null, CancellationToken.None);
                return JobOutcome.Cancelled;
            case LeaseState.Held when wasStopped:
                await store.ReleaseAsync(context.Lease, CancellationToken.None);
                return JobOutcome.Released;
            case LeaseState.Held:
                await FailAsync(context.Lease, Problems.Unexpected().Fault);
                return JobOutcome.Failed;
            default:
                return JobOutcome.Lost;
        }
    }

    private Task FailAsync(JobLease lease, UserFault fault) =>
        store.FinishAsync(lease, JobState.Failed, fault, CancellationToken.None);

    /// <summary>
    /// Renews the lease twice per second and stores the progress. Stops the work when the lease is lost or a client
    /// cancels the job.
    /// </summary>
    private async Task BeatAsync(JobContext context, CancellationTokenSource stop, CancellationToken done)
    {
        var renewedAt = time.GetTimestamp();
        using var timer = new PeriodicTimer(Beat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(done))
            {
                try
                {
                    var state = await leases.RenewAsync(context.Lease, context.Progress, done);
                    renewedAt = time.GetTimestamp();
                    if (state == LeaseState.Held)
                        continue;
                    await stop.CancelAsync();
                    return;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogHeartbeatMissed(e, context.Job.Id);
                    if (time.GetElapsedTime(renewedAt) < TimeSpan.FromSeconds(options.Value.JobLeaseSeconds))
                        continue;
                    await stop.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The work has ended.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "This replica claims no job until it is healthy: {Reason}")]
    private partial void LogUnfit(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {JobId} of {Category} started, attempt {Attempt}")]
    private partial void LogStarted(JobKind kind, string jobId, string category, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {JobId} of {Category} succeeded")]
    private partial void LogSucceeded(JobKind kind, string jobId, string category);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {JobId} stopped; state of its lease: {Lease}")]
    private partial void LogStopped(JobKind kind, string jobId, LeaseState lease);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind} {JobId} returns to the queue: {Reason}")]
    private partial void LogAway(JobKind kind, string jobId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind} {JobId} failed with {Code}: {Detail}")]
    private partial void LogFailed(JobKind kind, string jobId, string code, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Kind} {JobId} failed unexpectedly")]
    private partial void LogUnexpected(Exception exception, JobKind kind, string jobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of job {JobId} could not be renewed")]
    private partial void LogHeartbeatMissed(Exception exception, string jobId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The queue of jobs could not be read")]
    private partial void LogQueueFailure(Exception exception);
}
