using System.Globalization;
using System.Security.Cryptography;
using System.Threading.Channels;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Scoring;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace PaDiM.Service.Sinks;

/// <summary>
/// One sink of this replica: a bounded queue in memory, and a task that sends what is in it, in order. What cannot be
/// delivered becomes a dead letter in the database; a second task sends those that wait again.
/// </summary>
internal sealed partial class SinkWorker : IAsyncDisposable
{
    /// <summary>Dead letters that are written, or sent again, at a time.</summary>
    private const int BatchRows = 100;

    /// <summary>Attempts after the first one.</summary>
    public const int Retries = 4;

    /// <summary>How often letters that wait are tried.</summary>
    public static readonly TimeSpan ResendInterval = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(0.5),
        LongestDelay = TimeSpan.FromSeconds(30),
        Sampling = TimeSpan.FromMinutes(10),
        FirstBreak = TimeSpan.FromSeconds(5),
        LongestBreak = TimeSpan.FromSeconds(60);

    private readonly SinkOptions _options;
    private readonly DeadLetterStore _letters;
    private readonly SinkMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<SinkMessage> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Signal _resend = new();
    private readonly Task _sending,
        _resending;
    private Task? _stopped;
    private volatile Setup _setup;
    private volatile string? _error;
    private volatile bool _isDeleted,
        _isTold;
    private long _delivered,
        _failed,
        _dropped,
        _imageBytes,
        _imagesDropped,
        _deliveredAt,
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
        (_options, _letters, _metrics, _time, _logger) = (options, letters, metrics, time, logger);
        _setup = CreateSetup(definition, target);
        // The newest say how the line does now, so that they stay.
        _queue = Channel.CreateBounded<SinkMessage>(
            new BoundedChannelOptions(options.SinkQueueCapacity)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
            },
            Drop
        );
        _sending = Task.Run(SendQueueAsync);
        _resending = Task.Run(() =>
            Periodically.RunAsync(ResendInterval, time, ResendAsync, LogUnread, _stop.Token, _resend)
        );
    }

    public SinkDefinition Definition => _setup.Definition;

    public int Queued => _queue.Reader.Count;

    public long Delivered => Interlocked.Read(ref _delivered);

    public long Failed => Interlocked.Read(ref _failed);

    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Gets the number of images that no longer fitted into the memory, and that lines go without.</summary>
    public long ImagesDropped => Interlocked.Read(ref _imagesDropped);

    public DateTime? DeliveredAt =>
        Interlocked.Read(ref _deliveredAt) is var ticks and > 0 ? new DateTime(ticks, DateTimeKind.Utc) : null;

    /// <summary>Gets why the last attempt failed; null if it did not.</summary>
    public string? Error => _error;

    public SinkCircuit Circuit =>
        _setup.State.CircuitState switch
        {
            CircuitState.Closed => SinkCircuit.Closed,
            CircuitState.HalfOpen => SinkCircuit.HalfOpen,
            _ => SinkCircuit.Open,
        };

    /// <summary>Puts an inspection into the queue if the sink wants it. Never waits.</summary>
    public void Offer(Inspection inspection, byte[] image)
    {
        if (!Definition.Wants(inspection))
            return;
        var message = new SinkMessage(inspection);
        if (Definition.Settings.Folder is { Images: true } && TryHold(image))
            message = message with { Image = image };
        if (!_queue.Writer.TryWrite(message))
            Drop(message);
    }

    /// <summary>Sends with other settings from the next attempt on. The circuit is closed again.</summary>
    public async Task ChangeAsync(SinkDefinition definition, SinkTarget target)
    {
        var before = _setup;
        _setup = CreateSetup(definition, target);
        (_error, _isTold) = (null, false);
        _resend.Set();
        await before.Target.DisposeAsync();
    }

    /// <summary>Sends letters that wait now.</summary>
    public void Resend() => _resend.Set();

    /// <summary>Sends one message once, whatever the circuit says. Returns what the receiver said.</summary>
    /// <exception cref="DeliveryException">It was not delivered.</exception>
    public async Task<string> TestAsync(Inspection inspection, CancellationToken cancellationToken)
    {
        var setup = _setup;
        var patience = TimeSpan.FromSeconds(setup.Definition.Settings.TimeoutSeconds);
        using var limit = new CancellationTokenSource(patience, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await setup.Target.SendAsync(new SinkMessage(inspection) { IsTest = true }, both.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new DeliveryException(DescribeTimeout(patience));
        }
        catch (Exception e) when (e is not DeliveryException and not OperationCanceledException)
        {
            throw new DeliveryException(e.Message, inner: e);
        }
    }

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
        _queue.Writer.TryComplete();
        try
        {
            await _sending.WaitAsync(patience, _time);
        }
        catch (TimeoutException)
        {
            // The rest fails at once, and is kept.
        }
        await _stop.CancelAsync();
        await Task.WhenAll(_sending, _resending);
        await _setup.Target.DisposeAsync();
        _stop.Dispose();
    }

    /// <summary>Holds the memory of an image, unless too many wait: their lines go without.</summary>
    private bool TryHold(byte[] image)
    {
        if (Interlocked.Add(ref _imageBytes, image.Length) <= _options.SinkImageBytes)
            return true;
        Interlocked.Add(ref _imageBytes, -image.Length);
        Interlocked.Increment(ref _imagesDropped);
        return false;
    }

    private void Release(SinkMessage message) => Interlocked.Add(ref _imageBytes, -(message.Image?.Length ?? 0));

    private void Drop(SinkMessage message)
    {
        Release(message);
        Interlocked.Increment(ref _dropped);
    }

    private Setup CreateSetup(SinkDefinition definition, SinkTarget target)
    {
        var patience = TimeSpan.FromSeconds(definition.Settings.TimeoutSeconds);
        var state = new CircuitBreakerStateProvider();
        var failures = new PredicateBuilder()
            .Handle<DeliveryException>(e => !e.IsRefused)
            .Handle<TimeoutRejectedException>();
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = _time }
            .AddCircuitBreaker(
                new CircuitBreakerStrategyOptions
                {
                    ShouldHandle = failures,
                    // One inspection that all its attempts did not deliver is enough; Polly wants to have seen two.
                    FailureRatio = 0,
                    MinimumThroughput = 2,
                    SamplingDuration = Sampling,
                    BreakDurationGenerator = arguments =>
                        ValueTask.FromResult(
                            TimeSpan.FromSeconds(
                                Math.Min(
                                    FirstBreak.TotalSeconds * Math.Pow(2, arguments.HalfOpenAttempts),
                                    LongestBreak.TotalSeconds
                                )
                            )
                        ),
                    StateProvider = state,
                }
            )
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = failures,
                    MaxRetryAttempts = Retries,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = FirstDelay,
                    MaxDelay = LongestDelay,
                    DelayGenerator = arguments =>
                        ValueTask.FromResult(
                            arguments.Outcome.Exception is DeliveryException { RetryAfter: { } asked }
                            && asked > TimeSpan.Zero
                                ? (TimeSpan?)(asked < LongestDelay ? asked : LongestDelay)
                                : null
                        ),
                }
            )
            .AddTimeout(patience)
            .Build();
        return new Setup(definition, target, pipeline, state, patience);
    }

    private async Task SendQueueAsync()
    {
        var reader = _queue.Reader;
        while (await reader.WaitToReadAsync())
        {
            var undelivered = new List<DeadLetter>();
            // While the circuit is open, everything comes back at once: then a whole batch is one transaction.
            while (
                undelivered.Count < BatchRows
                && (undelivered.Count == 0 || Circuit == SinkCircuit.Open || _stop.IsCancellationRequested)
                && reader.TryRead(out var message)
            )
            {
                if (!_isDeleted && await TryDeliverAsync(message) is { } failure)
                    undelivered.Add(CreateLetter(message.Inspection, failure));
                Release(message);
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
            await using var claim = await _letters.ClaimAsync(Definition.Name, BatchRows, cancellationToken);
            if (claim.Letters.Count == 0)
                return;
            foreach (var (letter, inspection) in claim.Letters)
            {
                var failure = await TryDeliverAsync(new SinkMessage(inspection) { IsLate = true });
                if (failure is null)
                    await _letters.RemoveAsync(Definition.Name, letter.Id, CancellationToken.None);
                else
                    await _letters.RecordFailureAsync(letter.Id, failure, CancellationToken.None);
                if (failure is { State: DeadLetterState.Waiting })
                    return;
            }
        }
    }

    /// <summary>Sends a message with all attempts. Returns null once it is delivered.</summary>
    private async Task<DeliveryFailure?> TryDeliverAsync(SinkMessage message)
    {
        var attempts = 0;
        string? error = null;
        var isRefused = false;
        try
        {
            await _setup.Pipeline.ExecuteAsync(
                async cancellationToken =>
                {
                    attempts++;
                    await AttemptAsync(message, cancellationToken);
                },
                _stop.Token
            );
            Interlocked.Increment(ref _delivered);
            Interlocked.Exchange(ref _deliveredAt, _time.GetUtcNow().UtcDateTime.Ticks);
            if (_isTold)
                LogBack(Definition.Name);
            (_error, _isTold) = (null, false);
            return null;
        }
        catch (DeliveryException e)
        {
            (error, isRefused) = (e.Message, e.IsRefused);
        }
        catch (TimeoutRejectedException)
        {
            error = DescribeTimeout(_setup.Patience);
        }
        catch (BrokenCircuitException)
        {
            error = _error ?? "The receiver has failed several times.";
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            error = "The service stopped before it was delivered.";
        }
        if (attempts > 0)
        {
            _error = error;
            if (!_isTold)
                LogAway(Definition.Name, error);
            _isTold = true;
        }
        Interlocked.Increment(ref _failed);
        return new DeliveryFailure(isRefused ? DeadLetterState.Refused : DeadLetterState.Waiting, error, attempts);
    }

    private async Task AttemptAsync(SinkMessage message, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        var outcome = "failed";
        try
        {
            await _setup.Target.SendAsync(message, cancellationToken);
            outcome = "delivered";
        }
        catch (DeliveryException e)
        {
            if (e.IsRefused)
                outcome = "refused";
            throw;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            // Whatever a library throws, it is this message that was not delivered.
            throw new DeliveryException(e.Message, inner: e);
        }
        finally
        {
            _metrics.RecordAttempt(Definition.Name, outcome, _time.GetElapsedTime(began));
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
            Sink = Definition.Name,
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
            Interlocked.Add(ref _dropped, removed);
        }
        catch (Exception e)
        {
            // Without the database there is nowhere to put them; scoring goes on.
            Interlocked.Add(ref _dropped, letters.Count);
            LogLost(e, letters.Count, Definition.Name);
        }
    }

    private static string DescribeTimeout(TimeSpan patience) =>
        $"The receiver did not answer within {patience.TotalSeconds:0} s.";

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sink {Name} does not deliver: {Error}")]
    private partial void LogAway(string name, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink {Name} delivers again")]
    private partial void LogBack(string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} inspections for the sink {Name} are lost")]
    private partial void LogLost(Exception exception, int count, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not send dead letters again")]
    private partial void LogUnread(Exception exception);

    /// <summary>Settings in force and what follows from them.</summary>
    private sealed record Setup(
        SinkDefinition Definition,
        SinkTarget Target,
        ResiliencePipeline Pipeline,
        CircuitBreakerStateProvider State,
        TimeSpan Patience
    );
}

/// <summary>Why an inspection was not delivered.</summary>
/// <param name="State">Whether it is to be sent again.</param>
/// <param name="Error">Why, as a sentence.</param>
/// <param name="Attempts">How often it was sent.</param>
internal sealed record DeliveryFailure(DeadLetterState State, string Error, int Attempts);
