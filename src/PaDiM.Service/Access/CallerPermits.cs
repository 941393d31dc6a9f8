namespace PaDiM.Service.Access;

/// <summary>
/// What one caller may do on this replica: permits that were drawn from the bucket of all replicas, and, while that cannot
/// be asked, a bucket of its own. Thread-safe.
/// </summary>
internal sealed class CallerPermits(int perMinute, TimeProvider time)
{
    /// <summary>Permits that are not used for so long are dropped: the shared bucket would have refilled since.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    /// <summary>How long an empty bucket is believed to be empty at least, whatever its rate.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private int _held;
    private int _waiting;
    private long _usedAt = time.GetTimestamp();
    private long? _emptyAt;
    private TimeSpan _emptyFor;
    private double _own = perMinute;
    private long _ownAt = time.GetTimestamp();
    private TaskCompletionSource _drawn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// How many permits are drawn ahead: those of two seconds, so that a draw per second delays no request. Callers with
    /// few permits draw each by itself, so that none lies on a replica that does not need it.
    /// </summary>
    private int Target => perMinute / 30 is >= 2 and var ahead ? ahead : 0;

    /// <summary>Gets how long it has not been used.</summary>
    public TimeSpan IdleFor
    {
        get
        {
            lock (_gate)
                return _waiting > 0 ? TimeSpan.Zero : time.GetElapsedTime(_usedAt);
        }
    }

    /// <summary>Gets how many permits are here.</summary>
    public int Held
    {
        get
        {
            lock (_gate)
                return _held;
        }
    }

    /// <summary>Gets how many permits should be drawn now; 0 for none.</summary>
    public int Wanted
    {
        get
        {
            lock (_gate)
                return GetPause() > TimeSpan.Zero ? 0 : Math.Max(Target - _held, 0) + _waiting;
        }
    }

    /// <summary>Takes a permit, if one is here.</summary>
    public bool TryTake()
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_usedAt) >= KeptFor)
                _held = 0;
            _usedAt = time.GetTimestamp();
            if (_held == 0)
                return false;
            _held--;
            return true;
        }
    }

    /// <summary>Gets the time for which there is no permit for sure; 0 where the shared bucket has to be asked.</summary>
    public TimeSpan GetPause()
    {
        lock (_gate)
            return _emptyAt is { } at && _emptyFor - time.GetElapsedTime(at) is var left && left > TimeSpan.Zero
                ? left
                : TimeSpan.Zero;
    }

    /// <summary>Gets a task that ends with the next draw.</summary>
    public Task Drawn
    {
        get
        {
            lock (_gate)
                return _drawn.Task;
        }
    }

    /// <summary>Lets the next draw bring one permit more.</summary>
    public void StartWaiting()
    {
        lock (_gate)
            _waiting++;
    }

    /// <summary>Ends the wait.</summary>
    public void StopWaiting()
    {
        lock (_gate)
            _waiting--;
    }

    /// <summary>Adds what was drawn.</summary>
    public void Add(PermitGrant grant)
    {
        lock (_gate)
        {
            _held += grant.Permits;
            if (grant.Permits > 0)
                _emptyAt = null;
            else
            {
                _emptyAt = time.GetTimestamp();
                var refill = TimeSpan.FromSeconds((1 - grant.Left) * 60 / perMinute);
                _emptyFor = refill > LeastPause ? refill : LeastPause;
            }
        }
        EndDraw();
    }

    /// <summary>Lets all who wait look again.</summary>
    public void EndDraw()
    {
        TaskCompletionSource drawn;
        lock (_gate)
        {
            drawn = _drawn;
            _drawn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        drawn.TrySetResult();
    }

    /// <summary>Takes a permit of this replica alone, while the shared bucket cannot be asked.</summary>
    /// <returns>The time until there is one; 0 if it was taken.</returns>
    public TimeSpan TakeOwn()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _own = Math.Min(perMinute, _own + time.GetElapsedTime(_ownAt, now).TotalSeconds * perMinute / 60);
            _ownAt = now;
            if (_own < 1)
                return TimeSpan.FromSeconds((1 - _own) * 60 / perMinute);
            _own--;
            return TimeSpan.Zero;
        }
    }
}
