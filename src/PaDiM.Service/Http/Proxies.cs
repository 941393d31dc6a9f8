using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using IPNetwork = System.Net.IPNetwork;

namespace PaDiM.Service.Http;

/// <summary>
/// Trusts forwarded headers for the client's address, scheme and path prefix, but only from the proxies in the
/// settings.
/// </summary>
internal static class Proxies
{
    public static bool TryParse(string text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network))
            return true;
        if (!IPAddress.TryParse(text, out var address))
            return false;
        network = new IPNetwork(address, 8 * address.GetAddressBytes().Length);
        return true;
    }

    public static void UseKnownProxies(this WebApplication app)
    {
        var known = app.Services.GetRequiredService<IOptions<ProxyOptions>>().Value.KnownProxies;
        if (known.Length == 0)
            return;
        // The header lists a chain of proxies, nearest last. It is followed as long as the next proxy is known.
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders =
                ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedPrefix,
            ForwardLimit = null,
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in known)
            if (TryParse(proxy, out var network))
                options.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(options);
    }
}
