using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Access;
using PaDiM.Service.Background;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Fitting;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;
using PaDiM.Service.Telemetry;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace PaDiM.Service.Hosting;

/// <summary>What <c>Program</c> lists, a feature a method.</summary>
internal static partial class Setup
{
    private const string DefaultUrl = "http://localhost:8080";
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(8);

    public static void AddOptions(this WebApplicationBuilder builder)
    {
        builder
            .Services.AddOptions<PadimOptions>()
            .BindConfiguration(PadimOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        builder.Services.AddSingleton(TimeProvider.System);
    }

    /// <summary>Plain lines for people; one JSON object a line with <c>Padim:LogFormat=json</c>.</summary>
    public static void AddLogging(this WebApplicationBuilder builder) =>
        builder.Services.AddSerilog(
            (_, log) =>
            {
                log.ReadFrom.Configuration(builder.Configuration).Enrich.FromLogContext();
                if (
                    builder.Configuration.GetValue<LogFormat>(
                        $"{PadimOptions.Section}:{nameof(PadimOptions.LogFormat)}"
                    ) == LogFormat.Json
                )
                    log.WriteTo.Console(new CompactJsonFormatter());
                else
                    log.WriteTo.Console(formatProvider: System.Globalization.CultureInfo.InvariantCulture);
            }
        );

    public static void AddHttp(this WebApplicationBuilder builder)
    {
        var listening = new[] { "urls", "http_ports", "https_ports", "Kestrel:Endpoints" };
        if (!listening.Any(key => builder.Configuration.GetSection(key).Exists()))
            builder.WebHost.UseUrls(DefaultUrl);
        builder
            .Services.AddOptions<KestrelServerOptions>()
            .Configure<IOptions<PadimOptions>>((kestrel, options) => kestrel.Limit(options.Value));
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
        builder.Services.AddSingleton<Drain>().AddHostedService(provider => provider.GetRequiredService<Drain>());
        builder
            .Services.AddOptions<HostOptions>()
            .Configure<IOptions<PadimOptions>>(
                (host, padim) => host.ShutdownTimeout = TimeSpan.FromSeconds(padim.Value.DrainSeconds) + Drain.Rest
            );
    }

    /// <summary>What slow clients may hold up: a connection for a few seconds, nothing else.</summary>
    private static void Limit(this KestrelServerOptions kestrel, PadimOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        // Nothing here upgrades a connection.
        kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
        kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(
            bytesPerSecond: 240,
            gracePeriod: TimeSpan.FromSeconds(5)
        );
        // What has been written counts, and the system takes some megabytes at once: at this rate they are given
        // minutes, at the default of 240 hours.
        kestrel.Limits.MinResponseDataRate = new MinDataRate(
            bytesPerSecond: 16 << 10,
            gracePeriod: TimeSpan.FromSeconds(5)
        );
    }

    public static void AddStorage(this IServiceCollection services)
    {
        services.AddSingleton<DataDirectory>().AddSingleton<DiskSpace>().AddSingleton<BlobStore>();
        services.AddPooledDbContextFactory<PadimDbContext>(
            (provider, options) =>
                options.UseSqlite(
                    new SqliteConnectionStringBuilder
                    {
                        DataSource = provider.GetRequiredService<DataDirectory>().Database,
                    }.ConnectionString
                )
        );
        services.AddSingleton<Database>();
        services
            .AddSingleton<OrphanSweeper>()
            .AddHostedService(provider => provider.GetRequiredService<OrphanSweeper>());
    }

    public static void AddBackbones(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
            BackboneRuntime.Create(Options(provider).Device, Options(provider).Threads, Options(provider).TensorRt)
        );
        services.AddSingleton(provider => new BackboneRegistry(
            Options(provider).BackboneDirectories,
            provider.GetRequiredService<BackboneRuntime>()
        ));
        services.AddSingleton(provider => new BackboneListing(
            provider.GetRequiredService<BackboneRegistry>().Directories,
            BackboneCatalogue.Known
        ));
        services.AddSingleton(provider => new ImageDecoder(
            Options(provider).MaxPixels,
            TimeSpan.FromMilliseconds(Options(provider).DecodeTimeoutMs),
            Options(provider).DecodeMemoryBytes
        ));
        services.AddSingleton(provider => new EmbeddingStore(
            provider.GetRequiredService<DataDirectory>().Embeddings,
            provider.GetRequiredService<TimeProvider>()
        ));
    }

    public static void AddCategories(this IServiceCollection services) =>
        services.AddSingleton<CategoryStore>().AddSingleton<SettingsResolver>();

    public static void AddImages(this IServiceCollection services) =>
        services
            .AddSingleton<ImageStore>()
            .AddSingleton<ImageRequest>()
            .AddSingleton<DecodingGate>()
            .AddSingleton<Thumbnails>();

    public static void AddJobs(this IServiceCollection services) =>
        services
            .AddSingleton<JobStore>()
            .AddSingleton<JobSignal>()
            .AddSingleton<JobMetrics>()
            .AddSingleton<EventStreams>()
            .AddSingleton(CreateJobThreads)
            .AddHostedService<JobWorker>();

    /// <summary>
    /// Two loops of a job run at a time, one decodes while the other embeds, and one thread of a job waits for them.
    /// </summary>
    private static BackgroundScheduler CreateJobThreads(IServiceProvider provider) =>
        new(Options(provider).JobWorkers * (2 * provider.GetRequiredService<BackboneRuntime>().Threads + 1));

    public static void AddFitting(this IServiceCollection services)
    {
        services.AddSingleton<FitPace>().AddSingleton<FitCapacity>().AddSingleton<FitJob>();
        services.AddKeyedSingleton<JobHandler>(
            JobKind.Fit,
            (provider, _) => provider.GetRequiredService<FitJob>().RunAsync
        );
    }

    public static void AddModels(this IServiceCollection services)
    {
        services
            .AddSingleton<DamagedModels>()
            .AddSingleton<ModelFiles>()
            .AddSingleton<ModelStore>()
            .AddSingleton<ModelCache>()
            .AddSingleton<DriftMonitor>()
            .AddSingleton<ModelMetrics>();
        services
            .AddSingleton<ModelRegistry>()
            .AddHostedService(provider => provider.GetRequiredService<ModelRegistry>());
    }

    public static void AddScoring(this IServiceCollection services)
    {
        services.AddSingleton<ScoreQueue>().AddSingleton<ScoreService>().AddSingleton<ScoreMetrics>();
        services.AddSingleton<ScoreBatcher>();
    }

    public static void AddEvaluations(this IServiceCollection services)
    {
        services.AddSingleton<EvaluationStore>().AddSingleton<EvaluationJob>();
        services.AddKeyedSingleton<JobHandler>(
            JobKind.Evaluation,
            (provider, _) => provider.GetRequiredService<EvaluationJob>().RunAsync
        );
    }

    public static void AddSafekeeping(this IServiceCollection services) =>
        services
            .AddSingleton<Scrub>()
            .AddSingleton<Scrubber>()
            .AddHostedService(provider => provider.GetRequiredService<Scrubber>());

    /// <summary>
    /// What must stand before the first request: the database is up to date and the default backbone open. A newer
    /// database, a wrong name or a missing device shows now, not on the line.
    /// </summary>
    public static async Task PrepareAsync(this WebApplication app)
    {
        var services = app.Services;
        services.GetRequiredService<BackboneRegistry>().Open(Options(services).DefaultBackbone);
        services.GetRequiredService<DataDirectory>().RefuseBackup();
        services.GetRequiredService<DataDirectory>().Create();
        await services.GetRequiredService<Database>().UpgradeAsync(app.Lifetime.ApplicationStopping);
        await services.GetRequiredService<OpenAccess>().CheckAsync(app.Configuration, app.Lifetime.ApplicationStopping);
        if (Options(services).Access == AccessMode.Open)
            LogOpen(app.Logger);
        var data = services.GetRequiredService<DataDirectory>();
        var runtime = services.GetRequiredService<BackboneRuntime>();
        LogData(app.Logger, data.Root, runtime.Device);
    }

    /// <summary>
    /// Where requests come from, headers that keep browsers from guessing, a line a request in the log, errors as
    /// problems, and who may do what.
    /// </summary>
    public static void UsePipeline(this WebApplication app)
    {
        app.UseKnownProxies();
        var drain = app.Services.GetRequiredService<Drain>();
        app.Use(
            (context, next) =>
            {
                // At the last moment: an answer that an exception takes the place of loses its headers.
                context.Response.OnStarting(() =>
                {
                    SecurityHeaders.Apply(context);
                    // Whoever keeps connections opens the next one elsewhere, before this end closes them all at once.
                    if (drain.IsUnderWay && !HttpProtocol.IsHttp2(context.Request.Protocol))
                        context.Response.Headers.Connection = "close";
                    return Task.CompletedTask;
                });
                return next(context);
            }
        );
        app.UseRequestIdentity();
        app.UseSerilogRequestLogging(options =>
        {
            options.GetLevel = LevelOf;
            // The path as it was escaped: what was sent as %0A would begin a line of the client's own.
            options.GetMessageTemplateProperties = (context, _, elapsed, status) =>
                [
                    Member("RequestMethod", context.Request.Method),
                    Member("RequestPath", context.Request.Path.ToUriComponent()),
                    Member("StatusCode", status),
                    Member("Elapsed", elapsed),
                ];
        });
        app.UseExceptionHandler();
        app.UseStatusCodePages(context => Bare(context.HttpContext).ExecuteAsync(context.HttpContext));
        app.UseAccess();
        app.UseDeadlines();
    }

    private static LogEventProperty Member(string name, object value) => new(name, new ScalarValue(value));

    /// <summary>Routing refuses a content type before it is known what the operation would have read.</summary>
    private const string Bodies =
        $"JSON as application/json, {ImageRequest.Expected}, or a model as application/octet-stream; /swagger tells which of them this operation reads";

    /// <summary>
    /// Faults of ours are errors, a full queue and a passed deadline are warnings, and probes that come by every second
    /// are no news.
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

    /// <summary>The problem behind a status that came without a body.</summary>
    private static Problem Bare(HttpContext context) =>
        context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => new Problem(
                "route_not_found",
                StatusCodes.Status404NotFound,
                "There is nothing at this address; /swagger lists what there is."
            ),
            StatusCodes.Status405MethodNotAllowed => new Problem(
                "method_not_allowed",
                StatusCodes.Status405MethodNotAllowed,
                $"This address does not take {context.Request.Method}."
            ),
            StatusCodes.Status408RequestTimeout => Problems.BodyTooSlow(),
            StatusCodes.Status413PayloadTooLarge => Problems.BodyTooLarge(),
            StatusCodes.Status415UnsupportedMediaType => Problems.UnsupportedMediaType(
                context.Request.ContentType,
                Bodies
            ),
            var status => new Problem("invalid_request", status, "The request cannot be answered."),
        };

    [LoggerMessage(Level = LogLevel.Information, Message = "Data lies in {DataDirectory}; backbones run on {Device}")]
    private static partial void LogData(
        Microsoft.Extensions.Logging.ILogger logger,
        string dataDirectory,
        string device
    );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Access is open: whoever reaches this service may do everything (Padim:Access)"
    )]
    private static partial void LogOpen(Microsoft.Extensions.Logging.ILogger logger);

    private static PadimOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<PadimOptions>>().Value;
}
