using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Keeps a promise: a client that sees a fit succeed scores with the new model from then on, whichever replica ran the
/// fit. To show a job loads no model. The replica that ran the job shows it as succeeded only when its work has ended,
/// including the refresh of the model; every other replica leaves a notice, and its next score of the category follows
/// the change first. Thread-safe.
/// </summary>
internal sealed class SuccessNotices
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, object> _notices = new(StringComparer.Ordinal);

    /// <summary>Marks a job as running in this process, until the result is disposed.</summary>
    public IDisposable Begin(string jobId)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running[jobId] = end;
        return new Run(this, jobId, end);
    }

    /// <summary>Prepares this replica before a client sees the job.</summary>
    public async Task PrepareAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.State != JobState.Succeeded)
            return;
        if (_running.TryGetValue(job.Id, out var end))
            await end.Task.WaitAsync(cancellationToken);
        else if (job.Kind == JobKind.Fit)
            _notices[job.Category] = new object();
    }

    /// <summary>Gets the notice for a category: a client has seen a success that this replica may not have.</summary>
    public bool TryGet(string category, [NotNullWhen(true)] out object? notice) =>
        _notices.TryGetValue(category, out notice);

    /// <summary>Gets whether there are no notices.</summary>
    public bool IsEmpty => _notices.IsEmpty;

    /// <summary>Gets all notices, by category.</summary>
    public IReadOnlyCollection<KeyValuePair<string, object>> GetAll() => [.. _notices];

    /// <summary>Removes a notice that the replica has followed; a newer one stays.</summary>
    public void Remove(string category, object notice) => _notices.TryRemove(KeyValuePair.Create(category, notice));

    private sealed class Run(SuccessNotices owner, string jobId, TaskCompletionSource end) : IDisposable
    {
        public void Dispose()
        {
            owner._running.TryRemove(KeyValuePair.Create(jobId, end));
            end.TrySetResult();
        }
    }
}
