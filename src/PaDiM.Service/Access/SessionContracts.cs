using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>A request to sign in.</summary>
internal sealed record SessionRequest
{
    /// <summary>The key.</summary>
    public string? Key { get; init; }
}

/// <summary>Who calls, and what they may do.</summary>
/// <param name="KeyRequired">Whether requests of this client need a key, a token or a session.</param>
/// <param name="Name">Name of the key or subject of the token; null while access is open, and without valid
/// credentials.</param>
/// <param name="Scope">What the caller may do; null without valid credentials.</param>
/// <param name="Categories">The only categories that the caller may access; null for all.</param>
/// <param name="CanSignOut">Whether the request came with the cookie of a session.</param>
/// <param name="Provider">Whether browsers can also sign in with the identity provider, at <c>/console/sign-in</c>.</param>
internal sealed record SessionResponse(
    bool KeyRequired,
    string? Name,
    AccessScope? Scope,
    IReadOnlyList<string>? Categories,
    bool CanSignOut,
    bool Provider
);
