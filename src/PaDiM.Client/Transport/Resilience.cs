using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.Timeout;

namespace PaDiM.Client;

/// <summary>
/// Retries, the circuit breaker and the time of one try. What was refused before it was begun (429, and 503 with
/// <c>Retry-After</c>) is always sent again; what may have been done only if that does no harm. Nothing is sent again
/// whose body is gone.
/// </summary>
internal static class Resilience
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200),
        LongestDelay = TimeSpan.FromSeconds(5);

    public static void Configure(ResiliencePipelineBuilder<HttpResponseMessage> builder, PadimClientOptions options)
    {
        var time = builder.TimeProvider ?? TimeProvider.System;
        if (options.MaxRetries > 0)
            builder.AddRetry(
                new HttpRetryStrategyOptions
                {
                    MaxRetryAttempts = options.MaxRetries,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = FirstDelay,
                    MaxDelay = LongestDelay,
                    ShouldRetryAfterHeader = false,
                    DelayGenerator = args =>
                        ValueTask.FromResult(args.Outcome.Result is { } result ? Failures.GetRetryAfter(result) : null),
                    ShouldHandle = args =>
                        ValueTask.FromResult(
                            ShouldRetry(args.Outcome, RequestTraits.Of(args.Context.GetRequestMessage()), options, time)
                        ),
                }
            );
        builder
            .AddCircuitBreaker(
                new HttpCircuitBreakerStrategyOptions
                {
                    FailureRatio = 0.5,
                    MinimumThroughput = 20,
                    SamplingDuration = TimeSpan.FromSeconds(30),
                    BreakDuration = TimeSpan.FromSeconds(5),
                    ShouldHandle = args => ValueTask.FromResult(IsNoAnswer(args.Outcome)),
                }
            )
            .AddTimeout(
                new HttpTimeoutStrategyOptions
                {
                    TimeoutGenerator = args =>
                        ValueTask.FromResult(
                            RequestTraits.Of(args.Context.GetRequestMessage()).IsTransfer
                                ? Timeout.InfiniteTimeSpan
                                : options.AttemptTimeout
                        ),
                }
            );
    }

    private static bool ShouldRetry(
        Outcome<HttpResponseMessage> outcome,
        RequestTraits traits,
        PadimClientOptions options,
        TimeProvider time
    )
    {
        if (!traits.CanSendAgain)
            return false;
        if (outcome.Result is not { } response)
            return traits.IsRepeatable && IsNoAnswer(outcome);
        var wait = Failures.GetRetryAfter(response);
        if (wait > options.MaxRetryAfter || wait + time.GetElapsedTime(traits.StartedAt) > traits.Budget)
            return false;
        return response.StatusCode switch
        {
            HttpStatusCode.TooManyRequests => true,
            HttpStatusCode.ServiceUnavailable => wait is not null || (traits.IsRepeatable && !IsProblem(response)),
            HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout => traits.IsRepeatable && !IsProblem(response),
            _ => false,
        };
    }

    /// <summary>Nothing answered, or only a proxy that says so. A busy service is not a broken one.</summary>
    private static bool IsNoAnswer(Outcome<HttpResponseMessage> outcome) =>
        outcome switch
        {
            { Exception: HttpRequestException or TimeoutRejectedException } => true,
            { Result: { StatusCode: HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout } response } =>
                !IsProblem(response),
            _ => false,
        };

    /// <summary>The service's own problems say with <c>Retry-After</c> whether another try can help.</summary>
    private static bool IsProblem(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType == "application/problem+json";
}
