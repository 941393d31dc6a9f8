using System.Globalization;

namespace PaDiM.Client;

/// <summary>
/// A request that failed: what the service answered (RFC 9457), or why there is no answer. Act on <see cref="Code"/>,
/// which is stable; <see cref="Detail"/> is for people.
/// </summary>
public sealed class PadimException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">Stable code in snake_case: of the service, or of <see cref="PadimErrorCodes"/>.</param>
    /// <param name="status">Status of the answer, 400 to 599; null if there is none.</param>
    /// <param name="detail">What is wrong, and what to do.</param>
    /// <param name="inner">What caused it; null if an answer did.</param>
    public PadimException(string code, int? status, string detail, Exception? inner = null)
        : base(
            status is { } number
                ? string.Create(CultureInfo.InvariantCulture, $"{detail} ({number} {code})")
                : $"{detail} ({code})",
            inner
        )
    {
        Code = code;
        Status = status;
        Detail = detail;
    }

    /// <summary>Gets the stable code, such as <c>category_not_found</c>.</summary>
    public string Code { get; }

    /// <summary>Gets the status of the answer, 400 to 599; null if there is none.</summary>
    public int? Status { get; }

    /// <summary>Gets what is wrong with the request, and what to do.</summary>
    public string Detail { get; }

    /// <summary>Gets the refused files of an upload without a valid one; empty for other problems.</summary>
    public IReadOnlyList<RejectedFile> Errors { get; init; } = [];

    /// <summary>Gets how long to wait before the next try, as the service asks; null if it does not.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Gets the identifier of the request in the service's log.</summary>
    public string? TraceId { get; init; }

    /// <summary>
    /// Gets whether the same request may succeed later: there was no answer, or one of 408, 429, 502, 503 and 504.
    /// </summary>
    public bool IsTransient =>
        Status is 408 or 429 or 502 or 503 or 504
        || Code
            is PadimErrorCodes.Unreachable
                or PadimErrorCodes.TimedOut
                or PadimErrorCodes.CircuitOpen
                or PadimErrorCodes.DeadlinePassed;
}
