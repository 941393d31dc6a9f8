using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Http;

/// <summary>Settings of the proxies in front of the service.</summary>
internal sealed class ProxyOptions : IValidatableObject
{
    /// <summary>
    /// Proxies that are trusted to say where a request comes from: addresses, or networks such as <c>10.1.0.0/16</c>.
    /// </summary>
    public string[] KnownProxies { get; set; } = [];

    /// <summary>
    /// The path below which clients reach the service, such as <c>/padim</c>; empty for none, or for the one that a
    /// known proxy states.
    /// </summary>
    public string PathBase { get; set; } = "";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PathBase.Length > 0 && !PathPrefix.IsValid(PathBase))
            yield return new ValidationResult(
                $"PathBase is '{PathBase}', which is not a path such as /padim: a slash before each part, none at the "
                    + "end, letters, digits and .-_~ only, and not below /v1, /swagger, /health or /metrics.",
                [nameof(PathBase)]
            );
        foreach (var proxy in KnownProxies)
            if (!Proxies.TryParse(proxy, out _))
                yield return new ValidationResult(
                    $"KnownProxies contains '{proxy}', which is neither an address nor a network such as "
                        + "10.1.0.0/16.",
                    [nameof(KnownProxies)]
                );
    }
}
