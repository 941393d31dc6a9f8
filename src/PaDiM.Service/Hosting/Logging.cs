using PaDiM.Service.Http;
using PaDiM.Service.Telemetry;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace PaDiM.Service.Hosting;

/// <summary>The log: its format, and one line per request.</summary>
internal static class Logging
{
    /// <summary>Writes plain text, or one JSON object per line with <c>Padim:LogFormat=json</c>.</summary>
    public static void AddLogging(this WebApplicationBuilder builder) =>
        builder.Services.AddSerilog(
            (_, log) =>
            {
                log.ReadFrom.Configuration(builder.Configuration).Enrich.FromLogContext();
                if (
                    builder.Configuration.GetValue<LogFormat>($"{PadimSection.Name}:{nameof(ServerOptions.LogFormat)}")
                    == LogFormat.Json
                )
                    log.WriteTo.Console(new CompactJsonFormatter());
                else
                    log.WriteTo.Console(formatProvider: System.Globalization.CultureInfo.InvariantCulture);
            }
        );

    /// <summary>Logs one line per request.</summary>
    public static void UseRequestLogging(this WebApplication app) =>
        app.UseSerilogRequestLogging(options =>
        {
            options.GetLevel = LevelOf;
            // The path stays escaped: a %0A would otherwise start a log line of the client's choice.
            options.GetMessageTemplateProperties = (context, _, elapsed, status) =>
                [
                    Member("RequestMethod", context.Request.Method),
                    Member("RequestPath", context.Request.Path.ToUriComponent()),
                    Member("StatusCode", status),
                    Member("Elapsed", elapsed),
                ];
        });

    private static LogEventProperty Member(string name, object value) => new(name, new ScalarValue(value));

    /// <summary>
    /// Service faults are errors, full queues and missed deadlines are warnings, and health probes are debug.
    /// </summary>
    private static LogEventLevel LevelOf(HttpContext context, double milliseconds, Exception? exception) =>
        context.Response.StatusCode switch
        {
            StatusCodes.Status503ServiceUnavailable
            or StatusCodes.Status504GatewayTimeout
            or StatusCodes.Status507InsufficientStorage => LogEventLevel.Warning,
            >= StatusCodes.Status500InternalServerError => LogEventLevel.Error,
            _ when exception is not null => LogEventLevel.Error,
            _ when TelemetrySetup.IsProbe(context.Request.Path) => LogEventLevel.Debug,
            _ => LogEventLevel.Information,
        };
}
