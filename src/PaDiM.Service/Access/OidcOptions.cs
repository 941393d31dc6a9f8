using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Access;

/// <summary>An identity provider (OpenID Connect).</summary>
internal sealed class OidcOptions
{
    /// <summary>Its base URL, which serves <c>.well-known/openid-configuration</c>; null for keys only.</summary>
    public string? Authority { get; set; }

    /// <summary>The audience that tokens must be issued for.</summary>
    public string? Audience { get; set; }

    /// <summary>The claim with the scope: <c>score</c>, <c>train</c> or <c>admin</c>.</summary>
    [Required]
    public string ScopeClaim { get; set; } = "scope";

    /// <summary>
    /// The claim with the only categories that the caller may access; all if a token does not have it.
    /// </summary>
    [Required]
    public string CategoriesClaim { get; set; } = "padim_categories";

    public bool IsConfigured => !string.IsNullOrEmpty(Authority);

    /// <summary>
    /// Gets what is wrong with the settings, or null. Over plain HTTP, anyone on the network could replace the signing
    /// keys, so HTTP is allowed for the local machine only.
    /// </summary>
    public string? Validate() =>
        !IsConfigured ? null
        : !Uri.TryCreate(Authority, UriKind.Absolute, out var address)
        || (address.Scheme != Uri.UriSchemeHttps && !(address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? "Oidc:Authority must be an https URL."
        : string.IsNullOrEmpty(Audience)
            ? "Oidc:Audience is required; without it, tokens issued for other services would be accepted."
        : null;
}
