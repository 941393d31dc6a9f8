using System.Threading.Channels;
using Microsoft.Extensions.Options;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Writes inspections behind their answers, in batches. While the disk is full or the database is away, rows wait in a
/// bounded queue; what does not fit is lost and counted, and scoring goes on.
/// </summary>
internal sealed partial class InspectionLedger(
    IDatabaseEngine engine,
    DiskSpace disk,
    InspectionImages images,
    LedgerMetrics metrics,
    IOptions<InspectionOptions> options,
    IOptions<DataOptions> data,
    TimeProvider time,
    ILogger<InspectionLedger> logger
) : BackgroundService
{
    /// <summary>
    /// How long rows gather. A kill loses what has gathered and what is being written, which the documentation states as
    /// one second at most.
    /// </summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <summary>How long an answer waits for its row where the category wants it to.</summary>
    private static readonly TimeSpan DurablePatience = TimeSpan.FromSeconds(5);

    /// <summary>How long a process that ends tries to write what waits.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(5);

    private const int BatchRows = 500,
        MaxAttempts = 3;

    private readonly Channel<LedgerEntry> _queue = Channel.CreateBounded<LedgerEntry>(
        new BoundedChannelOptions(options.Value.InspectionQueueRows) { SingleReader = true }
    );
    private readonly Signal _hurry = new();
    private int _hurried;
    private volatile string? _failure;
    private readonly Reminder _reminder = new(time);
    private long _lost;
    private bool _isBroken;

    /// <summary>Gets why rows cannot be written now; null if they can.</summary>
    public string? Failure => _failure;

    /// <summary>Gets the number of rows that this process has lost.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Takes an inspection over.</summary>
    public ValueTask AddAsync(ScoredInspection scored)
    {
        var (inspection, models, _, file) = scored;
        var settings = models.Models[0].Inspections;
        if (!settings.Keeps(inspection.Decision))
            return ValueTask.CompletedTask;
        var image =
            settings.Images.Includes(inspection.Decision, inspection.Image.Sha256)
            && images.TryReserve(file.Bytes.Length)
                ? file.Bytes
                : null;
        var written = settings.Durable
            ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
            : null;
        var row = LedgerRows.Create(inspection, file, InspectionKey.Create(inspection.At));
        if (!_queue.Writer.TryWrite(new LedgerEntry(row, image, written)))
        {
            images.Release(image);
            CountLost(1, "The queue of inspections is full.");
            return written is null
                ? ValueTask.CompletedTask
                : ValueTask.FromException(new InspectionNotKeptException("The queue of inspections is full."));
        }
        if (written is null)
            return ValueTask.CompletedTask;
        Hurry();
        return WaitAsync(written.Task);
    }

    /// <summary>Waits until what this process has taken over so far is written, or cannot be for now.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new LedgerEntry(null, null, flushed), cancellationToken);
        Hurry();
        await ((Task)flushed.Task.WaitAsync(DurablePatience, time, cancellationToken)).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing
        );
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.Watch(() => _queue.Reader.Count, () => _failure is not null);
        var batch = new List<LedgerEntry>(BatchRows);
        try
        {
            while (await _queue.Reader.WaitToReadAsync(stoppingToken))
            {
                await GatherAsync(stoppingToken);
                await WriteNextAsync(batch, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await WriteLastAsync(batch);
        }
    }

    private void Hurry()
    {
        Interlocked.Exchange(ref _hurried, 1);
        _hurry.Set();
    }

    private async ValueTask WaitAsync(Task written)
    {
        try
        {
            await written.WaitAsync(DurablePatience, time);
        }
        catch (TimeoutException)
        {
            throw new InspectionNotKeptException("The row is not written yet.");
        }
    }

    /// <summary>Lets rows gather, unless there are enough for a batch or someone waits.</summary>
    private async Task GatherAsync(CancellationToken cancellationToken)
    {
        var hurry = _hurry.Next;
        if (Interlocked.Exchange(ref _hurried, 0) == 0 && _queue.Reader.Count < BatchRows)
            try
            {
                await hurry.WaitAsync(Gather, time, cancellationToken);
                Interlocked.Exchange(ref _hurried, 0);
            }
            catch (TimeoutException)
            {
                // The usual end.
            }
    }

    /// <summary>Writes a batch, and tries again until it is written or has to be given up.</summary>
    private async Task WriteNextAsync(List<LedgerEntry> batch, CancellationToken cancellationToken)
    {
        Fill(batch);
        for (var attempt = 1; batch.Count > 0; attempt++)
        {
            if (await TryWriteAsync(batch, attempt, cancellationToken))
                break;
            // No answer waits for a disk that is full.
            foreach (var entry in batch)
                entry.Written?.TrySetException(new InspectionNotKeptException("The row could not be written."));
            await Task.Delay(Retry, time, cancellationToken);
        }
        batch.Clear();
    }

    private void Fill(List<LedgerEntry> batch)
    {
        while (batch.Count < BatchRows && _queue.Reader.TryRead(out var entry))
            batch.Add(entry);
    }

    /// <summary>Writes a batch. Returns whether it is done with: written, or given up.</summary>
    private async Task<bool> TryWriteAsync(List<LedgerEntry> batch, int attempt, CancellationToken cancellationToken)
    {
        try
        {
            // The rest of the disk is for the metadata.
            if (data.Value.Database.Provider == DatabaseProvider.Sqlite && disk.ValidateFreeSpace() is { } full)
                throw new IOException(full.Detail);
            await using var db = engine.CreateLedger();
            // Not cancelled: what has begun is finished.
            var rows = await LedgerRows.InsertAsync(
                db,
                [.. batch.Select(entry => entry.Row).OfType<StoredInspection>()],
                CancellationToken.None
            );
            metrics.RecordWritten(rows.Count);
            var kept = rows.ToDictionary(row => (row.Category, row.Id));
            foreach (var entry in batch)
            {
                entry.Written?.TrySetResult();
                if (entry is not { Row: { } sent, Image: not null })
                    continue;
                // A repeated inspection has its image already.
                if (kept.Remove((sent.Category, sent.Id), out var row))
                    images.Add(row, entry.Image);
                else
                    images.Release(entry.Image);
            }
            if (_isBroken)
                LogRecovered(Lost);
            (_isBroken, _failure) = (false, null);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (!_isBroken)
                LogFailure(e, batch.Count);
            (_isBroken, _failure) = (true, e.Message);
            if (IsPassing(e) || attempt < MaxAttempts)
                return false;
            // Not the disk and not the network: the rows themselves, perhaps. The next ones may be better.
            foreach (var entry in batch)
            {
                images.Release(entry.Image);
                entry.Written?.TrySetException(new InspectionNotKeptException("The row could not be written."));
            }
            CountLost(batch.Count, e.Message);
            return true;
        }
    }

    /// <summary>Gets whether the rows have nothing to do with a failure, so that they are worth keeping.</summary>
    private static bool IsPassing(Exception e) =>
        e is IOException || DatabaseFaults.IsAway(e) || DatabaseFaults.IsFull(e) || DatabaseFaults.IsBusy(e);

    /// <summary>Writes what waits when the process ends.</summary>
    private async Task WriteLastAsync(List<LedgerEntry> batch)
    {
        var began = time.GetTimestamp();
        do
        {
            Fill(batch);
            if (batch.Count > 0 && !await TryWriteAsync(batch, attempt: 1, CancellationToken.None))
                break;
            batch.Clear();
        } while (_queue.Reader.Count > 0 && time.GetElapsedTime(began) < LastPatience);
        if (batch.Count + _queue.Reader.Count is var left and > 0)
            CountLost(left, "The process ends.");
        foreach (var entry in batch)
            entry.Written?.TrySetException(new InspectionNotKeptException("The process ends."));
    }

    private void CountLost(int rows, string reason)
    {
        metrics.RecordLost(rows);
        var lost = Interlocked.Add(ref _lost, rows);
        if (_reminder.IsDue())
            LogLost(lost, reason);
        _failure ??= reason;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} inspections could not be written; they wait")]
    private partial void LogFailure(Exception exception, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} inspections are lost so far: {Reason}")]
    private partial void LogLost(long count, string reason);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Inspections are written again; this process has lost {Count} since its start"
    )]
    private partial void LogRecovered(long count);
}
