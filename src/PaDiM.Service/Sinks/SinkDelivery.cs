using PaDiM.Service.Data;
using PaDiM.Service.Scoring;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace PaDiM.Service.Sinks;

/// <summary>Delivers messages to the receiver of one sink, under its policy, and knows how that goes.</summary>
internal sealed partial class SinkDelivery(
    SinkDefinition definition,
    SinkTarget target,
    SinkMetrics metrics,
    TimeProvider time,
    ILogger logger
) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private volatile Receiver _receiver = new(definition, target, SinkPolicy.Create(definition, time));
    private volatile string? _error;
    private volatile bool _isTold;
    private long _delivered,
        _failed,
        _deliveredAt;

    public SinkDefinition Definition => _receiver.Definition;

    public long Delivered => Interlocked.Read(ref _delivered);

    public long Failed => Interlocked.Read(ref _failed);

    public DateTime? DeliveredAt =>
        Interlocked.Read(ref _deliveredAt) is var ticks and > 0 ? new DateTime(ticks, DateTimeKind.Utc) : null;

    /// <summary>Gets why the last attempt failed; null if it did not.</summary>
    public string? Error => _error;

    public SinkCircuit Circuit =>
        _receiver.Policy.State.CircuitState switch
        {
            CircuitState.Closed => SinkCircuit.Closed,
            CircuitState.HalfOpen => SinkCircuit.HalfOpen,
            _ => SinkCircuit.Open,
        };

    /// <summary>Gets whether a message comes back at once, without an attempt.</summary>
    public bool IsPaused => Circuit == SinkCircuit.Open || _stop.IsCancellationRequested;

    /// <summary>Delivers with other settings from the next attempt on. The circuit is closed again.</summary>
    public async Task ChangeAsync(SinkDefinition changed, SinkTarget changedTarget)
    {
        var before = _receiver;
        _receiver = new Receiver(changed, changedTarget, SinkPolicy.Create(changed, time));
        (_error, _isTold) = (null, false);
        await before.Target.DisposeAsync();
    }

    /// <summary>Sends a message with all attempts. Returns null once it is delivered.</summary>
    public async Task<DeliveryFailure?> TryDeliverAsync(SinkMessage message)
    {
        var attempts = 0;
        string? error = null;
        var isRefused = false;
        try
        {
            await _receiver.Policy.Pipeline.ExecuteAsync(
                async cancellationToken =>
                {
                    attempts++;
                    await AttemptAsync(message, cancellationToken);
                },
                _stop.Token
            );
            Interlocked.Increment(ref _delivered);
            Interlocked.Exchange(ref _deliveredAt, time.GetUtcNow().UtcDateTime.Ticks);
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
            error = DescribeTimeout(Definition.Patience);
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

    /// <summary>Sends one message once, whatever the circuit says. Returns what the receiver said.</summary>
    /// <exception cref="DeliveryException">It was not delivered.</exception>
    public async Task<string> TestAsync(Inspection inspection, CancellationToken cancellationToken)
    {
        var receiver = _receiver;
        var patience = receiver.Definition.Patience;
        using var limit = new CancellationTokenSource(patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await receiver.Target.SendAsync(new SinkMessage(inspection) { IsTest = true }, both.Token);
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

    /// <summary>Gives up what is being delivered, and lets all further messages come back.</summary>
    public Task StopAsync() => _stop.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _receiver.Target.DisposeAsync();
        _stop.Dispose();
    }

    private async Task AttemptAsync(SinkMessage message, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var outcome = "failed";
        try
        {
            await _receiver.Target.SendAsync(message, cancellationToken);
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
            metrics.RecordAttempt(Definition.Name, outcome, time.GetElapsedTime(began));
        }
    }

    private static string DescribeTimeout(TimeSpan patience) =>
        $"The receiver did not answer within {patience.TotalSeconds:0} s.";

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sink {Name} does not deliver: {Error}")]
    private partial void LogAway(string name, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink {Name} delivers again")]
    private partial void LogBack(string name);

    /// <summary>Settings in force and what follows from them.</summary>
    private sealed record Receiver(SinkDefinition Definition, SinkTarget Target, SinkPolicy Policy);
}

/// <summary>Why an inspection was not delivered.</summary>
/// <param name="State">Whether it is to be sent again.</param>
/// <param name="Error">Why, as a sentence.</param>
/// <param name="Attempts">How often it was sent.</param>
internal sealed record DeliveryFailure(DeadLetterState State, string Error, int Attempts);
