using System.Net;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// When requests need no credentials: by default while there never was a key and nobody but this machine can be asking.
/// Each request is looked at, not only the start: addresses may be added while the service runs, and a key that is
/// revoked does not open what it closed.
/// </summary>
internal sealed class OpenAccess(
    IOptions<AccessOptions> options,
    IOptions<ProxyOptions> proxies,
    IOptions<DataOptions> data,
    KeyRing keys
)
{
    /// <summary>
    /// What proxies add: with one of them a request comes from elsewhere, though from this machine's own address.
    /// </summary>
    private static readonly string[] ProxyHeaders =
    [
        "X-Forwarded-For",
        "X-Original-For",
        "Forwarded",
        "X-Real-IP",
        "Via",
    ];

    public async ValueTask<bool> AllowsAsync(HttpContext context) =>
        options.Value.Access switch
        {
            AccessMode.Open => true,
            AccessMode.Required => false,
            _ => IsLocal(context) && !await IsRequiredAsync(context.RequestAborted),
        };

    /// <summary>Whether credentials are needed even on this machine's own address.</summary>
    public async ValueTask<bool> IsRequiredAsync(CancellationToken cancellationToken) =>
        options.Value.Access switch
        {
            AccessMode.Open => false,
            AccessMode.Required => true,
            _ => options.Value.Oidc.IsConfigured
                || proxies.Value.KnownProxies.Length > 0
                || await keys.AnyAsync(cancellationToken),
        };

    /// <summary>Refuses to serve other machines while nobody could be told from anybody.</summary>
    /// <exception cref="InvalidOperationException">An address is not this machine's own, and there is no
    /// key.</exception>
    public async Task CheckAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        if (
            options.Value is not { Access: AccessMode.Auto, Oidc.IsConfigured: false }
            || await keys.AnyAsync(cancellationToken)
        )
            return;
        if (Listening.Addresses(configuration).FirstOrDefault(address => !Listening.IsLocal(address)) is { } reached)
            throw new InvalidOperationException(
                $"It would listen on {reached}, where other machines can reach it, and there is no API key. Make one with 'padim keys create --name NAME --scope admin --data {data.Value.DataDirectory}' "
                    + "or 'dotnet PaDiM.Service.dll keys create --name NAME --scope admin', or set Padim__Oidc__Authority, or listen on localhost, or let everyone do everything with Padim__Access=open."
            );
        if (proxies.Value.KnownProxies.Length > 0)
            throw new InvalidOperationException(
                "Padim__KnownProxies says that requests come through a proxy, and there is no API key. Make one with 'padim keys create --name NAME --scope admin', or leave access to the proxy with Padim__Access=open."
            );
    }

    private static bool IsLocal(HttpContext context) =>
        (
            context.Connection.LocalIpAddress is not { } address
            || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
        )
        && !Array.Exists(ProxyHeaders, context.Request.Headers.ContainsKey)
        && IsLocalName(context.Request.Host.Host)
        && ComesFromItself(context.Request);

    /// <summary>A page of another site whose name leads to this machine (DNS rebinding) asks with that name.</summary>
    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Browsers tell whose page asks; other clients do not.</summary>
    private static bool ComesFromItself(HttpRequest request) =>
        request.Headers.Origin is not [{ } origin]
        || (
            Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
        );
}
