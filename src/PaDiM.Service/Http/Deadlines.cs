using System.Globalization;
using System.Text.RegularExpressions;

namespace PaDiM.Service.Http;

/// <summary>
/// The header <c>X-Deadline-Ms</c>: how long the client waits for a response, counted from when the headers were read
/// and the caller is known. After that, the request is cancelled wherever it waits and answered with 504: a part that
/// has passed the ejector needs no score, but the parts behind it do. gRPC has a header of its own for it.
/// </summary>
internal static partial class Deadlines
{
    public const string Header = "X-Deadline-Ms";

    private const string GrpcHeader = "grpc-timeout";

    private const int MaxMilliseconds = 24 * 60 * 60 * 1000;

    /// <summary>Enables deadlines for an operation.</summary>
    /// <param name="builder">The operations.</param>
    /// <param name="missed">Called with the problem that a request is answered with when its deadline passes.</param>
    public static TBuilder WithDeadlines<TBuilder>(this TBuilder builder, Action<HttpContext, Problem> missed)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new DeadlineMetadata(missed));

    /// <summary>Gets whether an operation supports deadlines.</summary>
    public static bool AreEnabled(IEnumerable<object> metadata) => metadata.OfType<DeadlineMetadata>().Any();

    /// <summary>Enforces deadlines on the operations that support them.</summary>
    public static void UseDeadlines(this WebApplication app)
    {
        var time = app.Services.GetRequiredService<TimeProvider>();
        app.Use(
            (context, next) =>
                FindTimeout(context.Request) is { } given
                && context.GetEndpoint()?.Metadata.GetMetadata<DeadlineMetadata>() is { } deadline
                    ? EnforceAsync(context, next, given, deadline, time)
                    : next(context)
        );
    }

    /// <summary>
    /// Gets the deadline of a request. That of gRPC is taken away from its framework, which would not count it as missed.
    /// </summary>
    private static string? FindTimeout(HttpRequest request)
    {
        if (request.Headers[Header] is { Count: > 0 } given)
            return given.ToString();
        if (GrpcTimeout().Match(request.Headers[GrpcHeader].ToString()) is not { Success: true } timeout)
            return null;
        request.Headers.Remove(GrpcHeader);
        var amount = double.Parse(timeout.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        var milliseconds = timeout.Groups[2].ValueSpan[0] switch
        {
            'H' => amount * 3_600_000,
            'M' => amount * 60_000,
            'S' => amount * 1000,
            'm' => amount,
            'u' => amount / 1000,
            _ => amount / 1_000_000,
        };
        return Math.Clamp(Math.Ceiling(milliseconds), 1, MaxMilliseconds).ToString(CultureInfo.InvariantCulture);
    }

    private static async Task EnforceAsync(
        HttpContext context,
        RequestDelegate next,
        string given,
        DeadlineMetadata deadline,
        TimeProvider time
    )
    {
        if (
            !int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || milliseconds is < 1 or > MaxMilliseconds
        )
        {
            await Problems
                .InvalidRequest($"{Header} must be a number of milliseconds from 1 to {MaxMilliseconds}.")
                .ExecuteAsync(context);
            return;
        }
        using var passed = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds), time);
        var aborted = context.RequestAborted;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, passed.Token);
        context.RequestAborted = either.Token;
        // A response that has started is sent to its end. One without a body starts after this has ended.
        var isRunning = true;
        context.Response.OnStarting(() =>
        {
            if (isRunning)
                passed.CancelAfter(Timeout.InfiniteTimeSpan);
            return Task.CompletedTask;
        });
        try
        {
            await next(context);
            // JSON writers treat a cancelled request as a disconnected client and do not throw.
            if (passed.IsCancellationRequested && !aborted.IsCancellationRequested && !context.Response.HasStarted)
                throw new OperationCanceledException(passed.Token);
        }
        catch (OperationCanceledException)
            when (passed.IsCancellationRequested && !aborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            context.RequestAborted = aborted;
            context.Response.Clear();
            var problem = Problems.DeadlinePassed(milliseconds);
            deadline.Missed(context, problem);
            await problem.ExecuteAsync(context);
        }
        finally
        {
            isRunning = false;
            context.RequestAborted = aborted;
        }
    }

    [GeneratedRegex(@"\A(\d{1,8})([HMSmun])\z", RegexOptions.CultureInvariant)]
    private static partial Regex GrpcTimeout();

    private sealed record DeadlineMetadata(Action<HttpContext, Problem> Missed);
}
