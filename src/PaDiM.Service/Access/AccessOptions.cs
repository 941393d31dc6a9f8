using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Access;

/// <summary>Settings of keys, tokens, rate limits and the audit trail.</summary>
internal sealed class AccessOptions : IValidatableObject
{
    /// <summary>Whether requests need a key or a token.</summary>
    public AccessMode Access { get; set; }

    /// <summary>Identity provider whose tokens are accepted beside keys.</summary>
    public OidcOptions Oidc { get; set; } = new();

    /// <summary>
    /// Requests per minute and key or token, or per address where access is open; one more is answered with 429. 0 for
    /// no limit.
    /// </summary>
    [Range(0, 10_000_000)]
    public int RequestsPerMinute { get; set; }

    /// <summary>
    /// Requests per minute and address with wrong or missing credentials that are answered with 401; one more is
    /// answered with 429. 0 for no limit.
    /// </summary>
    [Range(0, 1_000_000)]
    public int FailedAttemptsPerMinute { get; set; } = 60;

    /// <summary>Days for which audit entries are kept.</summary>
    [Range(1, 100_000)]
    public int AuditDays { get; set; } = 400;

    /// <summary>Hours after which a session of the console ends, and its user signs in again.</summary>
    [Range(1, 8760)]
    public int SessionHours { get; set; } = 12;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Oidc.Validate() is { } fault)
            yield return new ValidationResult(fault, [nameof(Oidc)]);
    }
}

/// <summary>Whether requests need a key or a token.</summary>
internal enum AccessMode
{
    /// <summary>
    /// Required once the first key exists or an identity provider is configured. Until then, the service serves its own
    /// machine only.
    /// </summary>
    Auto,

    /// <summary>Always required.</summary>
    Required,

    /// <summary>Never required: everyone who can reach the service may do everything.</summary>
    Open,
}
