using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace PaDiM.Service.Sinks;

/// <summary>How often and how fast a delivery is repeated, and when a sink pauses.</summary>
/// <param name="Pipeline">The policy.</param>
/// <param name="State">Whether it pauses.</param>
internal sealed record SinkPolicy(ResiliencePipeline Pipeline, CircuitBreakerStateProvider State)
{
    /// <summary>Attempts after the first one.</summary>
    public const int Retries = 4;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(0.5),
        LongestDelay = TimeSpan.FromSeconds(30),
        Sampling = TimeSpan.FromMinutes(10),
        FirstBreak = TimeSpan.FromSeconds(5),
        LongestBreak = TimeSpan.FromSeconds(60);

    /// <summary>Creates the policy of a sink, with a circuit that is closed.</summary>
    public static SinkPolicy Create(SinkDefinition definition, TimeProvider time)
    {
        var state = new CircuitBreakerStateProvider();
        var failures = new PredicateBuilder()
            .Handle<DeliveryException>(e => !e.IsRefused)
            .Handle<TimeoutRejectedException>();
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
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
            .AddTimeout(definition.Patience)
            .Build();
        return new SinkPolicy(pipeline, state);
    }
}
