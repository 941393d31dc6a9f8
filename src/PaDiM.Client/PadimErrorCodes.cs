namespace PaDiM.Client;

/// <summary>
/// The codes that the client itself gives a <see cref="PadimException"/>. All others are the service's, listed in its
/// documentation.
/// </summary>
public static class PadimErrorCodes
{
    /// <summary>The service cannot be reached, or the connection was lost.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>There was no answer in time: <see cref="PadimClientOptions.Timeout"/>.</summary>
    public const string TimedOut = "timed_out";

    /// <summary>The deadline of a score passed, here or at the service.</summary>
    public const string DeadlinePassed = "deadline_passed";

    /// <summary>Most of the last requests failed, so none is sent for a few seconds.</summary>
    public const string CircuitOpen = "circuit_open";

    /// <summary>The answer is not the service's: a proxy's page, or another program's.</summary>
    public const string UnexpectedAnswer = "unexpected_answer";

    /// <summary>A job that was waited for was cancelled.</summary>
    public const string JobCancelled = "job_cancelled";
}
