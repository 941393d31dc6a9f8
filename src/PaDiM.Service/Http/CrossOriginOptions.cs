using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Http;

/// <summary>Settings of web pages on other addresses that may call the service (CORS).</summary>
internal sealed class CrossOriginOptions : IValidatableObject
{
    /// <summary>The origin that stands for all of them.</summary>
    private const string Any = "*";

    /// <summary>
    /// Origins whose pages may call the service, such as <c>https://line.example</c>, or <c>*</c> for all.
    /// </summary>
    public string[] AllowedOrigins { get; set; } = [];

    /// <summary>Gets whether pages of every origin may call the service.</summary>
    public bool AllowsAny => AllowedOrigins is [Any];

    /// <summary>Gets whether an origin is in the list by its own name.</summary>
    public bool Names(string origin) => AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var origin in AllowedOrigins)
            if (origin == Any ? !AllowsAny : !IsOrigin(origin))
                yield return new ValidationResult(
                    origin == Any
                        ? "AllowedOrigins must contain '*' alone, or origins."
                        : $"AllowedOrigins contains '{origin}', which is not an origin such as https://line.example "
                            + "or http://localhost:5173: scheme, host and port as a browser sends them, without a "
                            + "path.",
                    [nameof(AllowedOrigins)]
                );
    }

    /// <summary>Browsers send origins in exactly this form: no default port, no path, no final slash.</summary>
    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && text.Equals(
            $"{uri.Scheme}://{uri.IdnHost}{(uri.IsDefaultPort ? "" : $":{uri.Port}")}",
            StringComparison.OrdinalIgnoreCase
        );
}
