using System.Net;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// Decides when requests need no credentials: by default, while no key was ever created and only this machine can
/// connect. Every request is checked, not only the start, because addresses may be added at run time. Revoking a key
/// never opens access again.
/// </summary>
internal sealed class OpenAccess(
    IOptions<AccessOptions> options,
    IOptions<ProxyOptions> proxies,
    IOptions<CrossOriginOptions> origins,
    IOptions<DataOptions> data,
    KeyRing keys
)
{
    /// <summary>
    /// Headers that proxies add. A request with one of them comes from elsewhere, even if its address is local.
    /// </summary>
    private static readonly string[] ProxyHeaders =
    [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Forwarded-Proto",
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

    /// <summary>Gets whether credentials are required even on the local machine.</summary>
    public async ValueTask<bool> IsRequiredAsync(CancellationToken cancellationToken) =>
        options.Value.Access switch
        {
            AccessMode.Open => false,
            AccessMode.Required => true,
            _ => options.Value.Oidc.IsConfigured
                || proxies.Value.KnownProxies.Length > 0
                || await keys.AnyAsync(cancellationToken),
        };

    /// <summary>Refuses to start on a non-local address while there is no way to authenticate callers.</summary>
    /// <exception cref="InvalidOperationException">An address is reachable from other machines and there is no
    /// key.</exception>
    public async Task CheckAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        if (
            options.Value is not { Access: AccessMode.Auto, Oidc.IsConfigured: false }
            || await keys.AnyAsync(cancellationToken)
        )
            return;
        if (Listening.GetAddresses(configuration).FirstOrDefault(address => !Listening.IsLocal(address)) is { } reached)
            throw new InvalidOperationException(
                $"The service would listen on {reached}, which other machines can reach, but there is no API "
                    + "key. Create one with 'padim keys create --name NAME --scope admin --data "
                    + $"{data.Value.DataDirectory}' or 'dotnet PaDiM.Service.dll keys create --name NAME --scope "
                    + "admin', set Padim__Oidc__Authority, listen on localhost only, or allow everyone everything "
                    + "with Padim__Access=open."
            );
        if (proxies.Value.KnownProxies.Length > 0)
            throw new InvalidOperationException(
                "Padim__KnownProxies is set, so requests come through a proxy, but there is no API key. "
                    + "Create one with 'padim keys create --name NAME --scope admin', or leave access control to "
                    + "the proxy with Padim__Access=open."
            );
    }

    private bool IsLocal(HttpContext context) =>
        (
            context.Connection.LocalIpAddress is not { } address
            || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
        )
        && !Array.Exists(ProxyHeaders, context.Request.Headers.ContainsKey)
        && IsLocalName(context.Request.Host.Host)
        && IsAllowedOrigin(context.Request);

    /// <summary>
    /// Guards against DNS rebinding: a page of another site whose name resolves to this machine sends that name.
    /// </summary>
    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>
    /// Browsers send the origin of the page; other clients do not. Pages of the allowed origins count as this service's
    /// own, but not every page because <c>*</c> is allowed: any site in this machine's browser could then do anything.
    /// </summary>
    private bool IsAllowedOrigin(HttpRequest request) =>
        request.Headers.Origin is not [{ } origin]
        || origins.Value.Names(origin)
        || (
            Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
        );
}
