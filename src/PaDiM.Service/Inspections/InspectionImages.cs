using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Keeps the images of inspections: the bytes as received, after their row. A store that is slow or away delays images
/// and no rows; what does not fit into the memory for those that wait is not kept, and counted.
/// </summary>
internal sealed partial class InspectionImages(
    IDatabaseEngine engine,
    IObjectStore objects,
    DiskSpace disk,
    LedgerMetrics metrics,
    IOptions<InspectionOptions> options,
    TimeProvider time,
    ILogger<InspectionImages> logger
) : BackgroundService
{
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(5);

    /// <summary>Bounded by <see cref="TryReserve"/>.</summary>
    private readonly Channel<(StoredInspection Row, byte[] Bytes)> _queue = Channel.CreateUnbounded<(
        StoredInspection Row,
        byte[] Bytes
    )>();
    private readonly Reminder _reminder = new(time);
    private long _held;
    private long _lost;
    private int _waiting;
    private volatile string? _failure;

    /// <summary>Gets why the last image was not kept; null if it was.</summary>
    public string? Failure => _failure;

    /// <summary>Gets whether no image waits to be kept.</summary>
    public bool IsIdle => Volatile.Read(ref _waiting) == 0;

    /// <summary>Sets memory aside for an image; false if too many wait.</summary>
    public bool TryReserve(int bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= (long)options.Value.InspectionQueueMegabytes << 20)
            return true;
        Interlocked.Add(ref _held, -bytes);
        CountLost("Too many images wait to be kept.");
        return false;
    }

    /// <summary>Gives back what was set aside for an image.</summary>
    public void Release(byte[]? bytes) => Interlocked.Add(ref _held, -(bytes?.Length ?? 0));

    /// <summary>Keeps an image whose row is written and whose memory is reserved.</summary>
    public void Add(StoredInspection row, byte[] bytes)
    {
        Interlocked.Increment(ref _waiting);
        _queue.Writer.TryWrite((row, bytes));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await _queue.Reader.WaitToReadAsync(stoppingToken))
            while (!stoppingToken.IsCancellationRequested && _queue.Reader.TryRead(out var image))
                await KeepAsync(image.Row, image.Bytes, CancellationToken.None);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is stopping.
        }
        using var last = new CancellationTokenSource(LastPatience, time);
        while (_queue.Reader.TryRead(out var image))
            await KeepAsync(image.Row, image.Bytes, last.Token);
    }

    /// <summary>The object first, then the row that refers to it.</summary>
    private async Task KeepAsync(StoredInspection row, byte[] bytes, CancellationToken cancellationToken)
    {
        try
        {
            if (objects.IsLocal && disk.ValidateRoomFor(bytes.Length) is { } full)
            {
                CountLost(full.Detail);
                return;
            }
            await objects.PutAsync(row.ImageKey, bytes, row.Sha256, cancellationToken);
            await using var db = engine.CreateLedger();
            var changed = await db
                .Inspections.Where(r => r.Key == row.Key)
                .ExecuteUpdateAsync(
                    set => set.SetProperty(r => r.ImageBytes, (long?)bytes.Length),
                    CancellationToken.None
                );
            // Deleted meanwhile.
            if (changed == 0)
                await objects.DeleteAsync(row.ImageKey, CancellationToken.None);
            _failure = null;
        }
        catch (Exception e)
        {
            if (_failure is null)
                LogFailure(e);
            CountLost(e.Message);
        }
        finally
        {
            Release(bytes);
            Interlocked.Decrement(ref _waiting);
        }
    }

    private void CountLost(string reason)
    {
        metrics.RecordImageLost();
        var lost = Interlocked.Increment(ref _lost);
        if (_reminder.IsDue())
            LogLost(lost, reason);
        _failure = reason;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "An image of an inspection could not be kept")]
    private partial void LogFailure(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images of inspections are not kept, {Count} so far: {Reason}")]
    private partial void LogLost(long count, string reason);
}
