using System.Globalization;
using System.Security.Cryptography;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>
/// One sink of this replica: a task that sends what is in its queue, in order. What cannot be delivered becomes a dead
/// letter in the database; a second task sends those that wait again.
/// </summary>
internal sealed partial class SinkWorker : IAsyncDisposable
{
    /// <summary>Dead letters that are written, or sent again, at a time.</summary>
    private const int BatchRows = 100;

    /// <summary>How often letters that wait are tried.</summary>
    public static readonly TimeSpan ResendInterval = TimeSpan.FromSeconds(30);

    private readonly SinkOptions _options;
    private readonly DeadLetterStore _letters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Signal _resend = new();
    private readonly Task _sending,
        _resending;
    private Task? _stopped;
    private volatile bool _isDeleted;
    private long _lost,
        _lastLetter;

    /// <summary>Starts to send.</summary>
    public SinkWorker(
        SinkDefinition definition,
        SinkTarget target,
        SinkOptions options,
        DeadLetterStore letters,
        SinkMetrics metrics,
        TimeProvider time,
        ILogger logger
    )
    {
        (_options, _letters, _time, _logger) = (options, letters, time, logger);
        Queue = new SinkQueue(options);
        Delivery = new SinkDelivery(definition, target, metrics, time, logger);
        _sending = Task.Run(SendQueueAsync);
        _resending = Task.Run(() =>
            Periodically.RunAsync(ResendInterval, time, ResendAsync, LogUnread, _stop.Token, _resend)
        );
    }

    public SinkQueue Queue { get; }

    public SinkDelivery Delivery { get; }

    public string Name => Delivery.Definition.Name;

    /// <summary>Gets the number of inspections that neither the queue nor the dead letters could keep.</summary>
    public long Dropped => Queue.Dropped + Interlocked.Read(ref _lost);

    /// <summary>Puts an inspection into the queue if the sink wants it. Never waits.</summary>
    public void Offer(Inspection inspection, byte[] image)
    {
        var definition = Delivery.Definition;
        if (definition.Wants(inspection))
            Queue.Add(new SinkMessage(inspection), definition.Settings.Folder is { Images: true } ? image : null);
    }

    /// <summary>Sends with other settings from the next attempt on, also the letters that wait.</summary>
    public Task ChangeAsync(SinkDefinition definition, SinkTarget target)
    {
        var changed = Delivery.ChangeAsync(definition, target);
        _resend.Set();
        return changed;
    }

    /// <summary>Sends letters that wait now.</summary>
    public void Resend() => _resend.Set();

    /// <summary>Sends for a while what is in the queue, and keeps the rest as dead letters.</summary>
    public Task StopAsync(TimeSpan patience) => _stopped ??= StopOnceAsync(patience);

    /// <summary>Stops without keeping anything.</summary>
    public Task DeleteAsync()
    {
        _isDeleted = true;
        return StopAsync(TimeSpan.Zero);
    }

    public ValueTask DisposeAsync() => new(StopAsync(TimeSpan.Zero));

    private async Task StopOnceAsync(TimeSpan patience)
    {
        Queue.Close();
        try
        {
            await _sending.WaitAsync(patience, _time);
        }
        catch (TimeoutException)
        {
            // The rest fails at once, and is kept.
        }
        await Delivery.StopAsync();
        await _stop.CancelAsync();
        await Task.WhenAll(_sending, _resending);
        await Delivery.DisposeAsync();
        _stop.Dispose();
    }

    private async Task SendQueueAsync()
    {
        while (await Queue.WaitAsync())
        {
            var undelivered = new List<DeadLetter>();
            // While the circuit is open, everything comes back at once: then a whole batch is one transaction.
            while (
                undelivered.Count < BatchRows
                && (undelivered.Count == 0 || Delivery.IsPaused)
                && Queue.TryTake(out var message)
            )
            {
                if (!_isDeleted && await Delivery.TryDeliverAsync(message) is { } failure)
                    undelivered.Add(CreateLetter(message.Inspection, failure));
                Queue.Release(message);
            }
            if (undelivered.Count > 0)
                await KeepAsync(undelivered);
        }
    }

    /// <summary>Sends letters that wait, oldest first, until one fails.</summary>
    private async Task ResendAsync(CancellationToken cancellationToken)
    {
        for (; ; )
        {
            await using var claim = await _letters.ClaimAsync(Name, BatchRows, cancellationToken);
            if (claim.Letters.Count == 0)
                return;
            var claimed = _time.GetTimestamp();
            foreach (var (letter, inspection) in claim.Letters)
            {
                // The rest is claimed again: what a slow receiver has left may not fall to another replica meanwhile.
                if (_time.GetElapsedTime(claimed) > DeadLetterStore.ClaimTime / 2)
                    break;
                var failure = await Delivery.TryDeliverAsync(new SinkMessage(inspection) { IsLate = true });
                if (failure is null)
                    await _letters.RemoveAsync(Name, letter.Id, CancellationToken.None);
                else
                    await _letters.RecordFailureAsync(letter.Id, failure, CancellationToken.None);
                if (failure is { State: DeadLetterState.Waiting })
                    return;
            }
        }
    }

    private DeadLetter CreateLetter(Inspection inspection, DeliveryFailure failure)
    {
        var now = _time.GetUtcNow();
        // Letters of one millisecond have an order too.
        _lastLetter = Math.Max(now.Ticks, _lastLetter + 1);
        return new DeadLetter
        {
            Id = string.Create(
                CultureInfo.InvariantCulture,
                $"{_lastLetter:x16}{RandomNumberGenerator.GetHexString(16, lowercase: true)}"
            ),
            Sink = Name,
            State = failure.State,
            Inspection = DeadLetterStore.Write(inspection),
            Error = DeadLetterStore.Shorten(failure.Error),
            Attempts = failure.Attempts,
            CreatedAt = now.UtcDateTime,
            TriedAt = now.UtcDateTime,
        };
    }

    private async Task KeepAsync(List<DeadLetter> letters)
    {
        if (_isDeleted)
            return;
        try
        {
            var removed = await _letters.AddAsync(letters, _options.SinkDeadLetters, CancellationToken.None);
            Interlocked.Add(ref _lost, removed);
        }
        catch (Exception e)
        {
            // Without the database there is nowhere to put them; scoring goes on.
            Interlocked.Add(ref _lost, letters.Count);
            LogLost(e, letters.Count, Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} inspections for the sink {Name} are lost")]
    private partial void LogLost(Exception exception, int count, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not send dead letters again")]
    private partial void LogUnread(Exception exception);
}
