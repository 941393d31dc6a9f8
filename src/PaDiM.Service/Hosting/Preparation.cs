using Microsoft.Extensions.Options;
using PaDiM.Engine.Inference;
using PaDiM.Service.Access;
using PaDiM.Service.Backbones;
using PaDiM.Service.Data;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Hosting;

/// <summary>What the program checks and prepares before it listens.</summary>
internal static partial class Preparation
{
    /// <summary>
    /// Checks what the first request needs: the database is up to date and the default backbone is open. A newer
    /// database, a wrong name or a missing device shows at start-up, not in production.
    /// </summary>
    public static async Task PrepareAsync(this WebApplication app)
    {
        var services = app.Services;
        services.GetRequiredService<IStartupValidator>().Validate();
        services
            .GetRequiredService<BackboneRegistry>()
            .Open(services.GetRequiredService<IOptions<BackboneOptions>>().Value.DefaultBackbone);
        services.GetRequiredService<DataDirectory>().Prepare(services.GetRequiredService<IDatabaseEngine>());
        await services.GetRequiredService<IObjectStore>().PrepareAsync(app.Lifetime.ApplicationStopping);
        await services.GetRequiredService<MachineLease>().TakeAsync(app.Lifetime.ApplicationStopping);
        await services.GetRequiredService<Database>().UpgradeAsync(app.Lifetime.ApplicationStopping);
        await services.GetRequiredService<OpenAccess>().CheckAsync(app.Configuration, app.Lifetime.ApplicationStopping);
        if (services.GetRequiredService<IOptions<AccessOptions>>().Value.Access == AccessMode.Open)
            LogOpen(app.Logger);
        var data = services.GetRequiredService<DataDirectory>();
        var runtime = services.GetRequiredService<BackboneRuntime>();
        LogData(app.Logger, data.Root, runtime.Device);
        if (runtime.FallbackReason is { } reason)
            LogFallback(app.Logger, reason);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Data directory {DataDirectory}, device {Device}")]
    private static partial void LogData(
        Microsoft.Extensions.Logging.ILogger logger,
        string dataDirectory,
        string device
    );

    [LoggerMessage(Level = LogLevel.Warning, Message = "This build can use a GPU, but scores on the CPU: {Reason}")]
    private static partial void LogFallback(Microsoft.Extensions.Logging.ILogger logger, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Access is open: everyone who can reach this service may do everything (Padim:Access)"
    )]
    private static partial void LogOpen(Microsoft.Extensions.Logging.ILogger logger);
}
