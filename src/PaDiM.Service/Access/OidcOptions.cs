using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Access;

/// <summary>An identity provider (OpenID Connect).</summary>
internal sealed class OidcOptions
{
    /// <summary>Its address, below which <c>.well-known/openid-configuration</c> lies; none for keys alone.</summary>
    public string? Authority { get; set; }

    /// <summary>What tokens must be meant for.</summary>
    public string? Audience { get; set; }

    /// <summary>The claim that holds <c>score</c>, <c>train</c> or <c>admin</c>.</summary>
    [Required]
    public string ScopeClaim { get; set; } = "scope";

    /// <summary>The claim that holds the only categories; all where a token has none.</summary>
    [Required]
    public string CategoriesClaim { get; set; } = "padim_categories";

    public bool IsConfigured => !string.IsNullOrEmpty(Authority);

    /// <summary>
    /// What is wrong with it, or null. Over plain http anyone between could sign tokens; on the machine itself there is
    /// no between.
    /// </summary>
    public string? Validate() =>
        !IsConfigured ? null
        : !Uri.TryCreate(Authority, UriKind.Absolute, out var address)
        || (address.Scheme != Uri.UriSchemeHttps && !(address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? "Oidc:Authority must be an https address."
        : string.IsNullOrEmpty(Audience)
            ? "Oidc:Audience must say what tokens are meant for; without it, a token for any other service would do."
        : null;
}
