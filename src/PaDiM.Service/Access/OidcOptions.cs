using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Access;

/// <summary>An identity provider (OpenID Connect).</summary>
internal sealed class OidcOptions
{
    private const int MinSecret = 16;

    /// <summary>Its base URL, which serves <c>.well-known/openid-configuration</c>; null for keys only.</summary>
    public string? Authority { get; set; }

    /// <summary>The audience that tokens must be issued for.</summary>
    public string? Audience { get; set; }

    /// <summary>
    /// The claim with the scope: <c>score</c>, <c>review</c>, <c>train</c> or <c>admin</c>.
    /// </summary>
    [Required]
    public string ScopeClaim { get; set; } = "scope";

    /// <summary>
    /// The claim with the only categories that the caller may access; all if a token does not have it.
    /// </summary>
    [Required]
    public string CategoriesClaim { get; set; } = "padim_categories";

    /// <summary>The client that browsers sign in with; null if they sign in with keys only.</summary>
    public string? ClientId { get; set; }

    /// <summary>
    /// The secret of that client. Sessions are sealed with it, so that all replicas open them and nothing is stored.
    /// </summary>
    public string? ClientSecret { get; set; }

    /// <summary>What a sign-in asks the provider for, with spaces between.</summary>
    [Required]
    public string ClientScopes { get; set; } = "openid";

    /// <summary>Whether browsers can sign in with the provider.</summary>
    public bool IsForBrowsers => IsConfigured && !string.IsNullOrEmpty(ClientId);

    public bool IsConfigured => !string.IsNullOrEmpty(Authority);

    /// <summary>
    /// Gets what is wrong with the settings, or null. Over plain HTTP, anyone on the network could replace the signing
    /// keys, so HTTP is allowed for the local machine only.
    /// </summary>
    public string? Validate() =>
        string.IsNullOrEmpty(ClientId) != string.IsNullOrEmpty(ClientSecret)
            ? "Oidc:ClientId and Oidc:ClientSecret go together: the client that browsers sign in with, and its secret."
        : ClientSecret?.Length < MinSecret
            ? $"Oidc:ClientSecret must have at least {MinSecret} characters, because sessions are sealed with it."
        : !IsConfigured
            ? string.IsNullOrEmpty(ClientId) ? null
                : "Oidc:ClientId needs Oidc:Authority."
        : !Uri.TryCreate(Authority, UriKind.Absolute, out var address)
        || (address.Scheme != Uri.UriSchemeHttps && !(address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? "Oidc:Authority must be an https URL."
        : string.IsNullOrEmpty(Audience)
            ? "Oidc:Audience is required; without it, tokens issued for other services would be accepted."
        : null;
}
