using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Backbones;
using PaDiM.Service.Categories;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Fitting;
using PaDiM.Service.Hosting;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Models;
using PaDiM.Service.OpenApi;
using PaDiM.Service.Scoring;
using PaDiM.Service.Telemetry;
using PaDiM.Service.Thresholds;

namespace PaDiM.Service;

/// <summary>The table of contents.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        try
        {
            if (await Commands.TryRunAsync(args) is { } exitCode)
                return exitCode;
            await using var app = Build(args);
            await app.PrepareAsync();
            await app.RunAsync();
            return 0;
        }
        catch (Exception e)
            when (e
                    is OptionsValidationException
                        or PlatformNotSupportedException
                        or InvalidDataException
                        or InvalidOperationException
                        or FormatException
                        or KeyNotFoundException
                        or IOException
                        or UnauthorizedAccessException
                        or SqliteException
            )
        {
            await Console.Error.WriteLineAsync($"PaDiM.Service cannot start: {e.Message}");
            return 1;
        }
    }

    /// <summary>The service, ready to be prepared and started.</summary>
    /// <param name="args">Settings of the command line.</param>
    /// <param name="replace">Puts other services in the place of those here; for a host that is not this
    /// program.</param>
    internal static WebApplication Build(string[] args, Action<IServiceCollection>? replace = null)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
        );
        builder.AddOptions();
        builder.AddLogging();
        builder.AddHttp();
        builder.AddTelemetry();
        builder.Services.AddStorage();
        builder.Services.AddAccess();
        builder.Services.AddBackbones();
        builder.Services.AddCategories();
        builder.Services.AddImages();
        builder.Services.AddJobs();
        builder.Services.AddFitting();
        builder.Services.AddModels();
        builder.Services.AddScoring();
        builder.Services.AddEvaluations();
        builder.Services.AddSafekeeping();
        builder.Services.AddOpenApi();
        replace?.Invoke(builder.Services);

        var app = builder.Build();
        app.UsePipeline();
        app.UseOpenApi();
        var categories = app.MapGroup("/v1/categories").Needs(AccessScope.Train);
        var category = categories.MapGroup("{category}").AddEndpointFilter(CategoryName.Filter);
        categories.MapCategories(category);
        category.MapImages();
        category.MapIgnoreMask();
        category.MapFits();
        category.MapModels();
        category.MapPrefetch();
        category.MapScoring();
        app.MapEvaluations(category);
        category.MapThresholdPreview();
        app.MapJobs();
        app.MapBackbones();
        app.MapKeys();
        app.MapAudit();
        app.MapSystem();
        app.MapScrub();
        app.MapHealth();
        app.MapMetrics();
        return app;
    }
}
