namespace PaDiM.Client;

/// <summary>Where the service is, and how patient the client is.</summary>
public sealed class PadimClientOptions
{
    /// <summary>
    /// Gets or sets the address of the service, such as <c>http://localhost:8080</c>. A path is kept, for a service
    /// behind a proxy: <c>https://factory/padim</c>. Required.
    /// </summary>
    public Uri? Address { get; set; }

    /// <summary>Gets or sets the key, sent as a bearer token; null for a service without keys.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// Gets or sets how long a request may take, its retries included; above zero. Default: 100 s. Uploads, downloads
    /// and the events of jobs may take longer: cancel those with their token.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>Gets or sets how long one try may take; above zero. Default: 30 s.</summary>
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how often a request is sent again, 0 to 10. Default: 3.</summary>
    public int MaxRetries { get; set; } = 3;

    /// <summary>
    /// Gets or sets the longest <c>Retry-After</c> that the client waits for. If the service asks for more, the request
    /// fails at once, and the exception says how long to wait. Default: 30 s.
    /// </summary>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Finds what is wrong with the options; null if nothing is.</summary>
    internal string? FindFault() =>
        Address is not { IsAbsoluteUri: true, Scheme: "http" or "https" } ? "Address must be absolute, http or https."
        : Timeout <= TimeSpan.Zero ? "Timeout must be above zero."
        : AttemptTimeout <= TimeSpan.Zero ? "AttemptTimeout must be above zero."
        : MaxRetries is < 0 or > 10 ? "MaxRetries must be from 0 to 10."
        : MaxRetryAfter < TimeSpan.Zero ? "MaxRetryAfter must not be negative."
        : null;

    /// <summary>Gets the address with a slash at its end, so that relative paths are appended to it.</summary>
    internal Uri GetBaseAddress()
    {
        var text = Address!.GetLeftPart(UriPartial.Path);
        return new Uri(text.EndsWith('/') ? text : text + "/");
    }
}
