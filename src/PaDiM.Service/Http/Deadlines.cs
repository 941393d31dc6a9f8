using System.Globalization;

namespace PaDiM.Service.Http;

/// <summary>
/// The header <c>X-Deadline-Ms</c>: how long the client waits for a response, counted from when the headers were read
/// and the caller is known. After that, the request is cancelled wherever it waits and answered with 504: a part that
/// has passed the ejector needs no score, but the parts behind it do.
/// </summary>
internal static class Deadlines
{
    public const string Header = "X-Deadline-Ms";

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
                context.Request.Headers[Header] is { Count: > 0 } given
                && context.GetEndpoint()?.Metadata.GetMetadata<DeadlineMetadata>() is { } deadline
                    ? EnforceAsync(context, next, given.ToString(), deadline, time)
                    : next(context)
        );
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
        // A response that has started is sent to its end.
        context.Response.OnStarting(() =>
        {
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
            context.RequestAborted = aborted;
        }
    }

    private sealed record DeadlineMetadata(Action<HttpContext, Problem> Missed);
}
