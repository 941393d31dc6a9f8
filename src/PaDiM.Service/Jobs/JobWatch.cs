using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Tells which workers are dead. A living one changes its job's row twice a second; how long a row stayed as it is,
/// this process measures by a clock that nobody sets. The wall clock, by which the row says when its lease ends, only
/// shortens the wait of a process that starts after the lease has ended: a clock that jumps forward takes no job from a
/// living worker, and one that jumps back keeps none from the next.
/// </summary>
internal sealed class JobWatch(TimeSpan lease, TimeProvider time)
{
    /// <summary>Four heartbeats at least.</summary>
    private readonly TimeSpan _doubt = TimeSpan.FromTicks(Math.Max(lease.Ticks / 3, TimeSpan.FromSeconds(2).Ticks));

    private readonly Lock _gate = new();
    private Dictionary<string, Sight> _seen = new(StringComparer.Ordinal);

    /// <summary>Takes note of a job that was just claimed.</summary>
    public void See(Job claimed)
    {
        lock (_gate)
            _seen[claimed.Id] = new Sight(claimed.Fence, claimed.LeaseExpiresAt, time.GetTimestamp());
    }

    /// <summary>Takes note of all running jobs, and gives those whose worker is dead.</summary>
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
                        : new Sight(job.Fence, job.LeaseExpiresAt, time.GetTimestamp())
            );
            return [.. _seen.Where(pair => IsDead(pair.Value)).Select(pair => pair.Key)];
        }
    }

    private bool IsDead(Sight job) =>
        time.GetElapsedTime(job.Since) is var still
        && (still >= lease || (still >= _doubt && job.LeaseExpiresAt < time.GetUtcNow().UtcDateTime));

    private readonly record struct Sight(long Fence, DateTime? LeaseExpiresAt, long Since);
}
