using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Http;

/// <summary>Settings of the proxies in front of the service.</summary>
internal sealed class ProxyOptions : IValidatableObject
{
    /// <summary>
    /// Proxies that are trusted to say where a request comes from: addresses, or networks such as <c>10.1.0.0/16</c>.
    /// </summary>
    public string[] KnownProxies { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var proxy in KnownProxies)
            if (!Proxies.TryParse(proxy, out _))
                yield return new ValidationResult(
                    $"KnownProxies contains '{proxy}', which is neither an address nor a network such as "
                        + "10.1.0.0/16.",
                    [nameof(KnownProxies)]
                );
    }
}
