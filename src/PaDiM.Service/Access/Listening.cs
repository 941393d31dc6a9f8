using System.Net;

namespace PaDiM.Service.Access;

/// <summary>
/// The addresses that Kestrel will listen on. As in Kestrel, endpoints take precedence over URLs, and URLs over ports.
/// </summary>
internal static class Listening
{
    public static IReadOnlyList<BindingAddress> GetAddresses(IConfiguration configuration)
    {
        string[] endpoints =
        [
            .. configuration
                .GetSection("Kestrel:Endpoints")
                .GetChildren()
                .Select(endpoint => endpoint["Url"])
                .OfType<string>(),
        ];
        string[] urls = endpoints.Length > 0 ? endpoints : Split(configuration["urls"]);
        if (urls.Length == 0)
            urls =
            [
                .. Split(configuration["http_ports"]).Select(port => $"http://*:{port}"),
                .. Split(configuration["https_ports"]).Select(port => $"https://*:{port}"),
            ];
        return [.. urls.Select(BindingAddress.Parse)];
    }

    /// <summary>Gets whether an address is reachable from this machine only.</summary>
    public static bool IsLocal(BindingAddress address) =>
        address.IsUnixPipe
        || address.IsNamedPipe
        || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));

    private static string[] Split(string? list) =>
        (list ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
