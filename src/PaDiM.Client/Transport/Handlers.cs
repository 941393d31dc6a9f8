using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace PaDiM.Client;

/// <summary>Stacks the handlers of a client that no factory makes.</summary>
internal static class Handlers
{
    /// <summary>Gets the version of this library.</summary>
    public static string Version { get; } = typeof(Handlers).Assembly.GetName().Version?.ToString(3) ?? "0";

    public static HttpMessageHandler Create(PadimClientOptions options, TimeProvider time, HttpMessageHandler? last)
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time };
        Resilience.Configure(builder, options);
        return new ResilienceHandler(builder.Build())
        {
            InnerHandler = new AttemptHandler(time) { InnerHandler = last ?? CreateSockets() },
        };
    }

    /// <summary>Connections are renewed now and then, so that changes of the name service are seen.</summary>
    public static SocketsHttpHandler CreateSockets() =>
        new()
        {
            AutomaticDecompression = DecompressionMethods.All,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
}
