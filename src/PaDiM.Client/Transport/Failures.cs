using System.Text.Json;

namespace PaDiM.Client;

/// <summary>Turns answers that report a problem, and requests without an answer, into exceptions.</summary>
internal static class Failures
{
    private const int MostBytes = 1 << 20;

    public static PadimException DeadlinePassed() =>
        new(PadimErrorCodes.DeadlinePassed, null, "The deadline passed before there was a score.");

    public static PadimException TimedOut(Exception inner) =>
        new(PadimErrorCodes.TimedOut, null, "The service did not answer in time.", inner);

    public static PadimException CircuitOpen(Exception inner) =>
        new(
            PadimErrorCodes.CircuitOpen,
            null,
            "Most of the last requests failed, so none is sent for a few seconds.",
            inner
        );

    public static PadimException Unreachable(Exception inner) =>
        new(
            PadimErrorCodes.Unreachable,
            null,
            $"The service cannot be reached, or the connection was lost: {inner.Message}",
            inner
        );

    public static PadimException Unexpected(HttpResponseMessage response, Exception? inner = null) =>
        new(
            PadimErrorCodes.UnexpectedAnswer,
            (int)response.StatusCode,
            "The answer is not the service's, but a proxy's or another program's: "
                + (response.Content.Headers.ContentType?.MediaType ?? "it has no content type")
                + ". Check the address.",
            inner
        )
        {
            RetryAfter = GetRetryAfter(response),
        };

    /// <summary>Reads the problem of an answer that has failed.</summary>
    public static async Task<PadimException> ReadAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        if (response.Content.Headers.ContentType?.MediaType is not ("application/problem+json" or "application/json"))
            return Unexpected(response);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var body = new byte[MostBytes];
                var count = await stream
                    .ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken)
                    .ConfigureAwait(false);
                using var document = JsonDocument.Parse(body.AsMemory(0, count));
                return Find(document.RootElement, "code") is { } code
                    ? new PadimException(
                        code,
                        (int)response.StatusCode,
                        Find(document.RootElement, "detail") ?? Find(document.RootElement, "title") ?? code
                    )
                    {
                        Errors = FindErrors(document.RootElement),
                        TraceId = Find(document.RootElement, "traceId"),
                        RetryAfter = GetRetryAfter(response),
                    }
                    : Unexpected(response);
            }
        }
        catch (JsonException fault)
        {
            return Unexpected(response, fault);
        }
    }

    public static TimeSpan? GetRetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } when response.Headers.Date is { } now => date > now ? date - now : TimeSpan.Zero,
            _ => null,
        };

    private static string? Find(JsonElement problem, string member) =>
        problem.ValueKind == JsonValueKind.Object
        && problem.TryGetProperty(member, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>Finds the refused files. Other problems may have errors of another shape.</summary>
    private static RejectedFile[] FindErrors(JsonElement problem) =>
        problem.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array
            ?
            [
                .. errors
                    .EnumerateArray()
                    .Where(error => Find(error, "code") is not null)
                    .Select(error => new RejectedFile
                    {
                        FileName = Find(error, "fileName") ?? "",
                        Code = Find(error, "code")!,
                        Detail = Find(error, "detail") ?? "",
                    }),
            ]
            : [];
}
