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
/// Metrics at <c>/metrics</c>; traces, where the standard variables of OpenTelemetry name a receiver.
/// </summary>
internal static class TelemetrySetup
{
    private const string Path = "/metrics";

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CategoryLabels>().AddSingleton<ProcessMetrics>();
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
        // Without a receiver nobody listens, and no span is ever made.
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
    /// Serves what is measured, from the first scrape on: an instrument that is made only when it is first of use is
    /// missing until then.
    /// </summary>
    public static void MapMetrics(this WebApplication app)
    {
        // OpenTelemetry then makes nothing that could be served, and its own routing does not take that.
        if (!IsDisabled(app.Configuration))
            app.MapPrometheusScrapingEndpoint(Path)
                .Needs(AccessScope.Score, everyCategory: true)
                .WithTags("Operations")
                .WithName("GetMetrics")
                .WithMetadata(
                    new Func<string>(Answer).Method,
                    new HttpMethodMetadata([HttpMethods.Get]),
                    new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), ["text/plain"])
                );
        _ = (
            app.Services.GetRequiredService<ProcessMetrics>(),
            app.Services.GetRequiredService<ScoreMetrics>(),
            app.Services.GetRequiredService<ModelMetrics>(),
            app.Services.GetRequiredService<JobMetrics>()
        );
    }

    /// <summary>What comes by every few seconds and is no news.</summary>
    public static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments(Path);

    /// <summary>As the SDK reads it.</summary>
    private static bool IsDisabled(IConfiguration configuration) =>
        bool.TryParse(configuration["OTEL_SDK_DISABLED"], out var disabled) && disabled;

    private static bool HasReceiver(ConfigurationManager configuration) =>
        !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"])
        || !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]);

    /// <summary>Gives all metrics, in the text format of Prometheus</summary>
    /// <remarks>Names and labels are stable.</remarks>
    private static string Answer() => ""; // The exporter writes the real one; the OpenAPI document takes the shape from here.
}
