using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Hosting;

/// <summary>Kestrel and its limits, JSON, errors, health and the drain.</summary>
internal static class Server
{
    private const string DefaultUrl = "http://localhost:8080";
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(8);

    public static void AddServer(this WebApplicationBuilder builder)
    {
        builder
            .Services.AddPadimOptions<ServerOptions>()
            .AddPadimOptions<ReplicaOptions>()
            .AddPadimOptions<ProxyOptions>()
            .AddCrossOrigin()
            .AddCompressedBodies();
        var listening = new[] { "urls", "http_ports", "https_ports", "Kestrel:Endpoints" };
        if (!listening.Any(key => builder.Configuration.GetSection(key).Exists()))
            builder.WebHost.UseUrls(DefaultUrl);
        GrpcAddress.Add(builder.Configuration);
        builder
            .Services.AddOptions<KestrelServerOptions>()
            .Configure<IOptions<ServerOptions>>((kestrel, options) => kestrel.Limit(options.Value));
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.Converters.Add(
                new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
            );
            options.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        });
        builder.Services.AddExceptionHandler<ExceptionProblems>().AddProblemDetails();
        builder.Services.AddHealth();
        builder.Services.AddSingleton<Listeners>();
        builder
            .Services.AddOptions<SocketTransportOptions>()
            .Configure<Listeners>((sockets, listeners) => sockets.CreateBoundListenSocket = listeners.Bind);
        builder.Services.AddSingleton<Drain>().AddHostedService(provider => provider.GetRequiredService<Drain>());
        builder
            .Services.AddOptions<HostOptions>()
            .Configure<IOptions<ServerOptions>>(
                (host, server) => host.ShutdownTimeout = TimeSpan.FromSeconds(server.Value.DrainSeconds) + Drain.Rest
            );
    }

    /// <summary>Limits what slow clients can hold: a connection for a few seconds, nothing else.</summary>
    private static void Limit(this KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        // No endpoint upgrades connections.
        kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
        kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(
            bytesPerSecond: 240,
            gracePeriod: TimeSpan.FromSeconds(5)
        );
        // Written bytes count, and the system buffers some megabytes at once: this rate gives them minutes, the default
        // rate of 240 bytes per second would give hours.
        kestrel.Limits.MinResponseDataRate = new MinDataRate(
            bytesPerSecond: 16 << 10,
            gracePeriod: TimeSpan.FromSeconds(5)
        );
    }
}
