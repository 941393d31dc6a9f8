using System.Globalization;

namespace PaDiM.Client;

/// <summary>
/// Handles one try of a request: it carries what is left of the deadline, and reads answers whole where they are small.
/// </summary>
internal sealed class AttemptHandler(TimeProvider time) : DelegatingHandler
{
    public const string DeadlineHeader = "X-Deadline-Ms";

    private const double LongestDeadline = 24 * 60 * 60 * 1000;

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var traits = RequestTraits.Of(request);
        if (traits.Deadline is { } deadline)
        {
            var left = (deadline - time.GetElapsedTime(traits.StartedAt)).TotalMilliseconds;
            if (left < 1)
                throw Failures.DeadlinePassed();
            request.Headers.Remove(DeadlineHeader);
            request.Headers.Add(
                DeadlineHeader,
                ((int)Math.Min(left, LongestDeadline)).ToString(CultureInfo.InvariantCulture)
            );
        }
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            if (traits.IsBuffered)
                await response.Content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }
}
