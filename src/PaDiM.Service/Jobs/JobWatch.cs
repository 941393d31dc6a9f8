using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Finds jobs whose worker is dead. A live worker changes its job's row twice per second; this process measures by its
/// monotonic clock how long a row stays unchanged. The end of the lease in the row follows the wall clock and only
/// shortens the wait of a process that starts after the lease has ended: a wall clock that jumps forward takes no job
/// from a live worker, and one that jumps back keeps no job from the next worker.
/// </summary>
internal sealed class JobWatch(TimeSpan lease, TimeProvider time)
{
    /// <summary>How long a row must stay unchanged before its lease counts: at least four heartbeats.</summary>
    private readonly TimeSpan _shortestSilence = TimeSpan.FromTicks(
        Math.Max(lease.Ticks / 3, TimeSpan.FromSeconds(2).Ticks)
    );

    private readonly Lock _gate = new();
    private Dictionary<string, Sighting> _seen = new(StringComparer.Ordinal);

    /// <summary>Records a job that was just claimed.</summary>
    public void Record(Job claimed)
    {
        lock (_gate)
            _seen[claimed.Id] = new Sighting(claimed.Fence, claimed.LeaseExpiresAt, time.GetTimestamp());
    }

    /// <summary>Records all running jobs and gets the identifiers of those whose worker is dead.</summary>
    public IReadOnlyList<string> FindDead(IEnumerable<(string Id, long Fence, DateTime? LeaseExpiresAt)> running)
    {
        lock (_gate)
        {
            _seen = running.ToDictionary(
                job => job.Id,
                job =>
                    _seen.TryGetValue(job.Id, out var earlier)
                    && (earlier.Fence, earlier.LeaseExpiresAt) == (job.Fence, job.LeaseExpiresAt)
                        ? earlier
                        : new Sighting(job.Fence, job.LeaseExpiresAt, time.GetTimestamp())
            );
            return [.. _seen.Where(pair => IsDead(pair.Value)).Select(pair => pair.Key)];
        }
    }

    private bool IsDead(Sighting job) =>
        time.GetElapsedTime(job.Since) is var still
        && (still >= lease || (still >= _shortestSilence && job.LeaseExpiresAt < time.GetUtcNow().UtcDateTime));

    private readonly record struct Sighting(long Fence, DateTime? LeaseExpiresAt, long Since);
}
