using Microsoft.Extensions.Options;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>
/// Runs the sinks of the database on this replica, and gives them its inspections. Follows changes of other replicas as the
/// database reports them, and looks for them every second where it reports none.
/// </summary>
internal sealed partial class SinkRegistry(
    SinkStore store,
    DeadLetterStore letters,
    SinkTargets targets,
    SinkMetrics metrics,
    ChangeFeed changes,
    IOptions<SinkOptions> options,
    IOptions<ReplicaOptions> replica,
    TimeProvider time,
    ILogger<SinkRegistry> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Counting reads an index with as many entries as there are letters.</summary>
    private static readonly TimeSpan CountInterval = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Signal _changed = new();
    private int _isStale = 1;
    private volatile SinkWorker[] _workers = [];
    private volatile Dictionary<string, int> _counts = [];
    private long? _countedAt;
    private bool _isStopped,
        _hasToldFailure;

    /// <summary>Gets the sinks that run.</summary>
    public IReadOnlyList<SinkWorker> Workers => _workers;

    /// <summary>Offers an inspection to every sink. Never waits, and costs nothing without sinks.</summary>
    public ValueTask TakeAsync(ScoredInspection scored)
    {
        foreach (var worker in _workers)
            worker.Offer(scored.Inspection, scored.File.Bytes);
        return ValueTask.CompletedTask;
    }

    public SinkWorker? Find(string name) => _workers.FirstOrDefault(worker => worker.Name == name);

    /// <summary>Gets how a sink does on this replica.</summary>
    public SinkStatus GetStatus(string name) =>
        Find(name) is { } worker
            ? new SinkStatus(
                replica.Value.ReplicaName,
                worker.Delivery.Circuit,
                worker.Queue.Count,
                worker.Delivery.Delivered,
                worker.Delivery.Failed,
                worker.Dropped,
                CountLetters(name),
                worker.Delivery.DeliveredAt,
                worker.Delivery.Error
            )
            : new SinkStatus(replica.Value.ReplicaName, SinkCircuit.Closed, 0, 0, 0, 0, CountLetters(name), null, null);

    public int CountLetters(string name) => _counts.GetValueOrDefault(name);

    /// <summary>Reads the sinks now, after a change by this replica.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_isStopped)
                return;
            var rows = await store.ReadAllAsync(cancellationToken);
            await FollowAsync(rows);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Counts the dead letters now.</summary>
    public async Task CountAsync(CancellationToken cancellationToken)
    {
        _counts = await letters.CountAsync(cancellationToken);
        _countedAt = time.GetTimestamp();
    }

    /// <summary>Before the service listens, so that no inspection misses its sinks.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        metrics.Observe(() => _workers, CountLetters);
        changes.Subscribe(
            SharedTable.Sinks,
            () =>
            {
                Interlocked.Exchange(ref _isStale, 1);
                _changed.Set();
            }
        );
        try
        {
            await RefreshAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Tell(e);
        }
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Requests have ended by now: the server stops first.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _gate.WaitAsync(CancellationToken.None);
        try
        {
            _isStopped = true;
            var patience = TimeSpan.FromSeconds(options.Value.SinkFlushSeconds);
            await Task.WhenAll(_workers.Select(worker => worker.StopAsync(patience))).WaitAsync(cancellationToken);
            _workers = [];
        }
        finally
        {
            _gate.Release();
        }
    }

    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Periodically.RunAsync(
            Interval,
            time,
            async cancellationToken =>
            {
                await LookAsync(cancellationToken);
                if (
                    _workers.Length > 0
                    && (_countedAt is not { } counted || time.GetElapsedTime(counted) >= CountInterval)
                )
                    await CountAsync(cancellationToken);
                _hasToldFailure = false;
            },
            Tell,
            stoppingToken,
            _changed
        );

    /// <summary>Reads the sinks if they may have changed.</summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isStale, 0) == 0 && changes.IsHeard)
            return;
        try
        {
            await RefreshAsync(cancellationToken);
        }
        catch
        {
            Interlocked.Exchange(ref _isStale, 1);
            throw;
        }
    }

    private async Task FollowAsync(IReadOnlyList<Sink> rows)
    {
        var running = _workers.ToDictionary(worker => worker.Name, StringComparer.Ordinal);
        var next = new List<SinkWorker>();
        foreach (var row in rows)
        {
            if (!running.Remove(row.Name, out var worker))
                next.Add(Start(store.Read(row)));
            else
            {
                next.Add(worker);
                if (worker.Delivery.Definition.Revision != row.Revision && store.Read(row) is var changed)
                    await worker.ChangeAsync(changed, targets.Create(changed));
            }
        }
        _workers = [.. next];
        foreach (var worker in running.Values)
        {
            await worker.DeleteAsync();
            targets.Forget(worker.Name);
        }
    }

    private SinkWorker Start(SinkDefinition definition) =>
        new(definition, targets.Create(definition), options.Value, letters, metrics, time, logger);

    /// <summary>The loop runs every second, but a database that stays away is logged once.</summary>
    private void Tell(Exception exception)
    {
        if (!_hasToldFailure)
            LogUnread(exception);
        _hasToldFailure = true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not read the sinks; the known ones go on")]
    private partial void LogUnread(Exception exception);
}
