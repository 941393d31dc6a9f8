using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Hosting;

/// <summary>
/// The address for gRPC without TLS (<c>GrpcUrl</c>). Without TLS a connection cannot choose between HTTP/1.1 and HTTP/2, so
/// that gRPC needs an address of its own; with TLS it works at every address.
/// </summary>
internal static class GrpcAddress
{
    private const string Endpoints = "Kestrel:Endpoints";

    /// <summary>
    /// Adds the address to those that the service listens on. As soon as one of them is an endpoint, Kestrel takes no
    /// other setting, so that the others become endpoints too.
    /// </summary>
    public static void Add(ConfigurationManager configuration)
    {
        if (configuration[$"{PadimSection.Name}:{nameof(ServerOptions.GrpcUrl)}"] is not { } url || !IsValid(url))
            return;
        var settings = new Dictionary<string, string?>();
        if (!configuration.GetSection(Endpoints).GetChildren().Any())
        {
            foreach (var (i, address) in Listening.GetAddresses(configuration).Index())
                settings[$"{Endpoints}:Address{i:00}:Url"] = address.ToString();
            foreach (var name in new[] { "urls", "http_ports", "https_ports" })
                settings[name] = "";
        }
        settings[$"{Endpoints}:Grpc:Url"] = url;
        settings[$"{Endpoints}:Grpc:Protocols"] = "Http2";
        configuration.AddInMemoryCollection(settings);
    }

    /// <summary>Gets whether a text is an address.</summary>
    public static bool IsValid(string url)
    {
        try
        {
            return BindingAddress.Parse(url) is { Scheme: "http", PathBase: "" };
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
