using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using PaDiM.Service.Access;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Telemetry;

/// <summary>
/// Configures metrics at <c>/metrics</c> and, if the standard OpenTelemetry variables name a receiver, traces.
/// </summary>
internal static class TelemetrySetup
{
    private const string Path = "/metrics";

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DeviceWatch>().AddSingleton<CategoryLabels>().AddSingleton<ProcessMetrics>();
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService("padim", serviceVersion: ServiceVersion.Current).AddEnvironmentVariableDetector()
            );
        telemetry.WithMetrics(metrics =>
            metrics
                .AddMeter(
                    Instruments.Name,
                    "Microsoft.AspNetCore.Hosting",
                    "Microsoft.AspNetCore.Server.Kestrel",
                    "System.Runtime"
                )
                .AddPrometheusExporter(exporter =>
                {
                    exporter.ScopeInfoEnabled = false;
                    exporter.TargetInfoEnabled = false;
                })
        );
        // Without a receiver there is no listener, and no span is created.
        if (HasReceiver(builder.Configuration))
            telemetry.WithTracing(traces =>
                traces
                    .AddSource(Instruments.Name)
                    .AddAspNetCoreInstrumentation(requests =>
                        requests.Filter = context => !IsProbe(context.Request.Path)
                    )
                    .AddOtlpExporter()
            );
    }

    /// <summary>
    /// Maps the metrics endpoint. Instruments are created now, because one that is created on first use would be
    /// missing from earlier scrapes.
    /// </summary>
    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        // OpenTelemetry then provides no exporter, and its endpoint mapping would throw.
        if (!IsDisabled(services.GetRequiredService<IConfiguration>()))
            routes
                .MapPrometheusScrapingEndpoint(Path)
                .Needs(AccessScope.Score, everyCategory: true)
                .WithTags("Operations")
                .WithName("GetMetrics")
                .WithMetadata(
                    new Func<string>(Answer).Method,
                    new HttpMethodMetadata([HttpMethods.Get]),
                    new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), ["text/plain"])
                );
        _ = (
            services.GetRequiredService<ProcessMetrics>(),
            services.GetRequiredService<ScoreMetrics>(),
            services.GetRequiredService<ModelMetrics>(),
            services.GetRequiredService<JobMetrics>()
        );
    }

    /// <summary>Gets whether a path is polled every few seconds and not worth logging.</summary>
    public static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments(Path);

    /// <summary>Read in the same way as the SDK does.</summary>
    private static bool IsDisabled(IConfiguration configuration) =>
        bool.TryParse(configuration["OTEL_SDK_DISABLED"], out var disabled) && disabled;

    private static bool HasReceiver(ConfigurationManager configuration) =>
        !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"])
        || !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]);

    /// <summary>Gets all metrics in the Prometheus text format</summary>
    /// <remarks>Names and labels are stable.</remarks>
    private static string Answer() => ""; // Only for the OpenAPI document; the exporter writes the response.
}
