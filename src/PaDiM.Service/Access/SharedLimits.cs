using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using PaDiM.Service.Background;

namespace PaDiM.Service.Access;

/// <summary>
/// Limits the requests of a caller over all replicas. Permits are drawn from a shared bucket ahead of their use, once a
/// second for all callers together, so that a request finds one here; only the first of a burst waits for a draw. While the
/// database does not answer, each replica limits by itself. See docs/decisions/0030-shared-limits.md.
/// </summary>
internal sealed partial class SharedLimits(
    PermitStore store,
    IOptions<AccessOptions> options,
    TimeProvider time,
    ILogger<SharedLimits> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1),
        Patience = TimeSpan.FromMilliseconds(500),
        IdleTime = TimeSpan.FromMinutes(2),
        PurgeInterval = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, CallerPermits> _callers = new(StringComparer.Ordinal);
    private readonly Signal _low = new();
    private readonly Signal _urgent = new();
    private volatile bool _isAway;
    private volatile bool _isLow;
    private volatile bool _isUrgent;

    private int PerMinute => options.Value.RequestsPerMinute;

    /// <summary>Gets the limiter of a caller.</summary>
    public RateLimiter GetLimiter(string caller) => new Limiter(this, caller);

    /// <summary>Takes a permit that is here; null if somebody has to be asked.</summary>
    private Lease? TryTake(string caller)
    {
        var permits = _callers.GetOrAdd(caller, _ => new CallerPermits(PerMinute, time));
        if (permits.TryTake())
        {
            if (permits.Wanted > 0)
                Request(isUrgent: false);
            return Lease.Granted;
        }
        if (_isAway)
        {
            Request(isUrgent: false);
            return Lease.From(permits.TakeOwn());
        }
        return permits.GetPause() is var pause && pause > TimeSpan.Zero ? Lease.From(pause) : null;
    }

    private async ValueTask<RateLimitLease> TakeAsync(string caller, CancellationToken cancellationToken)
    {
        var permits = _callers.GetOrAdd(caller, _ => new CallerPermits(PerMinute, time));
        for (; ; )
        {
            var drawn = permits.Drawn;
            if (TryTake(caller) is { } lease)
                return lease;
            permits.StartWaiting();
            try
            {
                Request(isUrgent: true);
                await drawn.WaitAsync(Patience, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                BeAway(null);
            }
            finally
            {
                permits.StopWaiting();
            }
        }
    }

    private void Request(bool isUrgent)
    {
        _isLow = true;
        _low.Set();
        if (!isUrgent)
            return;
        _isUrgent = true;
        _urgent.Set();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var purgedAt = time.GetTimestamp();
        try
        {
            for (; ; )
            {
                var low = _low.Next;
                if (!_isLow)
                    await low.WaitAsync(stoppingToken);
                _isLow = _isUrgent = false;
                var drawnAt = time.GetTimestamp();
                await DrawAsync(stoppingToken);
                if (time.GetElapsedTime(purgedAt) >= PurgeInterval)
                {
                    purgedAt = time.GetTimestamp();
                    await PurgeAsync(stoppingToken);
                }
                // No request waits: what is used until then is drawn together.
                var urgent = _urgent.Next;
                if (!_isUrgent && Interval - time.GetElapsedTime(drawnAt) is var rest && rest > TimeSpan.Zero)
                    await Task.WhenAny(urgent, Task.Delay(rest, time, stoppingToken));
                stoppingToken.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is stopping.
        }
    }

    private async Task DrawAsync(CancellationToken stopping)
    {
        foreach (var (caller, permits) in _callers)
            if (permits.IdleFor >= IdleTime)
                _callers.TryRemove(caller, out _);
        var wanted = _callers
            .Select(pair => (pair.Key, pair.Value.Wanted))
            .Where(wish => wish.Wanted > 0)
            .ToDictionary(wish => wish.Key, wish => wish.Wanted, StringComparer.Ordinal);
        if (wanted.Count == 0)
            return;
        try
        {
            var grants = await store.DrawAsync(PerMinute, wanted, stopping);
            if (_isAway)
                LogBack();
            _isAway = false;
            foreach (var (caller, grant) in grants)
                if (_callers.TryGetValue(caller, out var permits))
                    permits.Add(grant);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            BeAway(e);
            foreach (var permits in _callers.Values)
                permits.EndDraw();
        }
    }

    private async Task PurgeAsync(CancellationToken stopping)
    {
        try
        {
            await store.PurgeAsync(stopping);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            BeAway(e);
        }
    }

    private void BeAway(Exception? exception)
    {
        if (!_isAway)
            LogAway(exception);
        _isAway = true;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The request limits that replicas share could not be read; this one limits by itself"
    )]
    private partial void LogAway(Exception? exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The request limits are those of all replicas again")]
    private partial void LogBack();

    /// <summary>One caller, for the middleware: first without a wait, then with one.</summary>
    private sealed class Limiter(SharedLimits limits, string caller) : RateLimiter
    {
        public override TimeSpan? IdleDuration =>
            limits._callers.TryGetValue(caller, out var permits) ? permits.IdleFor : IdleTime;

        public override RateLimiterStatistics? GetStatistics() =>
            new() { CurrentAvailablePermits = limits._callers.TryGetValue(caller, out var permits) ? permits.Held : 0 };

        protected override RateLimitLease AttemptAcquireCore(int permitCount) =>
            limits.TryTake(caller) ?? Lease.From(Patience);

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(
            int permitCount,
            CancellationToken cancellationToken
        ) => limits.TakeAsync(caller, cancellationToken);
    }

    /// <summary>A permit, or the time until there is one.</summary>
    private sealed class Lease(TimeSpan? wait) : RateLimitLease
    {
        public static Lease Granted { get; } = new(null);

        public override bool IsAcquired => wait is null;

        public override IEnumerable<string> MetadataNames => wait is null ? [] : [MetadataName.RetryAfter.Name];

        public static Lease From(TimeSpan wait) => wait == TimeSpan.Zero ? Granted : new Lease(wait);

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = wait;
            return wait is not null && metadataName == MetadataName.RetryAfter.Name;
        }
    }
}
