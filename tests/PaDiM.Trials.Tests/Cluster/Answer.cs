namespace PaDiM.Trials.Cluster;

/// <summary>What a client saw of one request.</summary>
/// <param name="Proxy">The balancer that it went through.</param>
/// <param name="IsScore">Whether it was a score; uploads and jobs may be refused while what they need is away.</param>
/// <param name="Category">The category.</param>
/// <param name="Begun">When it was sent.</param>
/// <param name="Ended">When the answer was there.</param>
/// <param name="Replica">The replica that answered.</param>
/// <param name="Version">The version that scored.</param>
/// <param name="Score">The score.</param>
/// <param name="Failure">Why it failed; null if it did not.</param>
/// <param name="IsRefused">Whether it failed with 503 and a time after which to send it again.</param>
internal sealed record Answer(
    string Proxy,
    bool IsScore,
    string Category,
    DateTime Begun,
    DateTime Ended,
    string? Replica = null,
    int Version = 0,
    double Score = 0,
    string? Failure = null,
    bool IsRefused = false
)
{
    public TimeSpan Took => Ended - Begun;

    public override string ToString() =>
        FormattableString.Invariant(
            $"{Begun:HH:mm:ss.fff} to {Ended:ss.fff} {Proxy} {Category}, {Replica} version {Version}: {Failure}"
        );
}
