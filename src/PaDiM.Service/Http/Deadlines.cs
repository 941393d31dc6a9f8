using System.Globalization;

namespace PaDiM.Service.Http;

/// <summary>
/// The header <c>X-Deadline-Ms</c>: for so long, from when its headers were read and its caller known, does somebody
/// wait for a request's answer. Then it is given up wherever it waits, and answered with 504: a part that has passed
/// the ejector needs no score, and those behind it do.
/// </summary>
internal static class Deadlines
{
    public const string Header = "X-Deadline-Ms";

    private const int Longest = 24 * 60 * 60 * 1000;

    /// <summary>Marks operations that keep deadlines.</summary>
    /// <param name="builder">The operations.</param>
    /// <param name="missed">Called with the problem that a request is answered with when its deadline passes.</param>
    public static TBuilder WithDeadlines<TBuilder>(this TBuilder builder, Action<HttpContext, Problem> missed)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new DeadlineMetadata(missed));

    /// <summary>Whether an operation keeps deadlines.</summary>
    public static bool AreKeptBy(IEnumerable<object> metadata) => metadata.OfType<DeadlineMetadata>().Any();

    /// <summary>Sees to deadlines of the operations that keep them, and of no others.</summary>
    public static void UseDeadlines(this WebApplication app)
    {
        var time = app.Services.GetRequiredService<TimeProvider>();
        app.Use(
            (context, next) =>
                context.Request.Headers[Header] is { Count: > 0 } given
                && context.GetEndpoint()?.Metadata.GetMetadata<DeadlineMetadata>() is { } deadline
                    ? KeepAsync(context, next, given.ToString(), deadline, time)
                    : next(context)
        );
    }

    private static async Task KeepAsync(
        HttpContext context,
        RequestDelegate next,
        string given,
        DeadlineMetadata deadline,
        TimeProvider time
    )
    {
        if (
            !int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || milliseconds is < 1 or > Longest
        )
        {
            await Problems
                .InvalidRequest(
                    $"{Header} is the number of milliseconds that the answer is waited for, 1 to {Longest}."
                )
                .ExecuteAsync(context);
            return;
        }
        using var passed = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds), time);
        var aborted = context.RequestAborted;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, passed.Token);
        context.RequestAborted = either.Token;
        // An answer that has begun is sent to its end.
        context.Response.OnStarting(() =>
        {
            passed.CancelAfter(Timeout.InfiniteTimeSpan);
            return Task.CompletedTask;
        });
        try
        {
            await next(context);
            // Writers of JSON take a cancelled request for one whose client is gone, and say nothing.
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
