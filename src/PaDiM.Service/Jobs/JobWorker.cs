using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Jobs;

/// <summary>Claims jobs one after the other and runs them, with a heartbeat beside the work.</summary>
internal sealed partial class JobWorker(
    JobStore store,
    JobSignal signal,
    JobMetrics metrics,
    IServiceProvider services,
    IOptions<JobOptions> options,
    TimeProvider time,
    ILogger<JobWorker> logger
) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1),
        Beat = TimeSpan.FromMilliseconds(500);
    private readonly string _name = $"{Environment.MachineName}/{Environment.ProcessId}";

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, options.Value.JobWorkers).Select(_ => WorkAsync(stoppingToken)));

    private async Task WorkAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await store.ClaimAsync(_name, stopping) is { } job)
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
                // The database may be away for a while; the queue is still there afterwards.
                LogQueueFailure(e);
                await Task.Delay(Poll, time, CancellationToken.None);
            }
        }
    }

    private async Task RunAsync(Job job, CancellationToken stopping)
    {
        using var trace = new JobTrace(job);
        var context = new JobContext(job, trace, time);
        var began = time.GetTimestamp();
        var outcome = JobOutcome.Succeeded;
        LogStarted(job.Kind, job.Id, job.Category, job.Attempts);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var done = new CancellationTokenSource();
        var heartbeat = BeatAsync(context, stop, done.Token);
        try
        {
            await services.GetRequiredKeyedService<JobHandler>(job.Kind)(context, stop.Token);
            LogFinished(job.Kind, job.Id, job.Category);
        }
        catch (OperationCanceledException)
        {
            // Why it stopped, the row knows best: the work may have noticed before the heartbeat did.
            var lease = await store.RenewAsync(context.Lease, context.Progress, CancellationToken.None);
            if (lease == LeaseState.CancelRequested)
                await store.FinishAsync(context.Lease, JobState.Cancelled, null, CancellationToken.None);
            else if (lease == LeaseState.Held && stop.IsCancellationRequested)
                await store.ReleaseAsync(context.Lease, CancellationToken.None);
            else if (lease == LeaseState.Held)
                await FailAsync(context.Lease, Problems.Unexpected());
            outcome = lease switch
            {
                LeaseState.CancelRequested => JobOutcome.Cancelled,
                LeaseState.Held => stop.IsCancellationRequested ? JobOutcome.Released : JobOutcome.Failed,
                _ => JobOutcome.Lost,
            };
            LogStopped(job.Kind, job.Id, lease);
        }
        catch (JobFailedException e)
        {
            outcome = JobOutcome.Failed;
            LogFailed(job.Kind, job.Id, e.Code, e.Message);
            await store.FinishAsync(
                context.Lease,
                JobState.Failed,
                new JobError(e.Code, e.Message),
                CancellationToken.None
            );
        }
        catch (Exception e)
        {
            outcome = JobOutcome.Failed;
            LogBroken(e, job.Kind, job.Id);
            await FailAsync(context.Lease, ExceptionProblems.ToProblem(e));
        }
        finally
        {
            trace.End(outcome);
            metrics.Ended(job.Kind, outcome, time.GetElapsedTime(began));
            await done.CancelAsync();
            await heartbeat;
        }
    }

    private Task FailAsync(JobLease lease, Problem problem) =>
        store.FinishAsync(lease, JobState.Failed, new JobError(problem.Code, problem.Detail), CancellationToken.None);

    /// <summary>
    /// Renews the lease twice a second, passing progress on. A lost lease or a wish to cancel stops the work.
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
                    var state = await store.RenewAsync(context.Lease, context.Progress, done);
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
            // The work has come to its end.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {JobId} of {Category} started, attempt {Attempt}")]
    private partial void LogStarted(JobKind kind, string jobId, string category, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {JobId} of {Category} succeeded")]
    private partial void LogFinished(JobKind kind, string jobId, string category);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {JobId} stopped, its lease was {Lease}")]
    private partial void LogStopped(JobKind kind, string jobId, LeaseState lease);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind} {JobId} failed with {Code}: {Detail}")]
    private partial void LogFailed(JobKind kind, string jobId, string code, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Kind} {JobId} broke")]
    private partial void LogBroken(Exception exception, JobKind kind, string jobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of job {JobId} could not be renewed")]
    private partial void LogHeartbeatMissed(Exception exception, string jobId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The queue of jobs could not be read")]
    private partial void LogQueueFailure(Exception exception);
}
