using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Machine;
using PaDiM.Service.Access;
using PaDiM.Service.Admission;
using PaDiM.Service.Backbones;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Datasets;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Fitting;
using PaDiM.Service.Hosting;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Inspections;
using PaDiM.Service.Jobs;
using PaDiM.Service.Learning;
using PaDiM.Service.LookoutForVision;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Memory;
using PaDiM.Service.Models;
using PaDiM.Service.MqttCommands;
using PaDiM.Service.OpenApi;
using PaDiM.Service.OpenInference;
using PaDiM.Service.Roles;
using PaDiM.Service.Scoring;
using PaDiM.Service.Sinks;
using PaDiM.Service.Site;
using PaDiM.Service.Telemetry;
using PaDiM.Service.Thresholds;

namespace PaDiM.Service;

/// <summary>The entry point; lists the features.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        try
        {
            NativeHeap.CreateNoMoreArenas();
            if (await Commands.TryRunAsync(args) is { } exitCode)
                return exitCode;
            await using var app = Build(args);
            try
            {
                await app.PrepareAsync();
                await app.RunAsync();
            }
            catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
            {
                // SIGTERM came before the service listened.
            }
            return 0;
        }
        catch (Exception e)
            when (e
                    is OptionsValidationException
                        or AggregateException
                        or PlatformNotSupportedException
                        or InvalidDataException
                        or InvalidOperationException
                        or FormatException
                        or KeyNotFoundException
                        or IOException
                        or UnauthorizedAccessException
                        or DbException
                        or DbUpdateException
            )
        {
            // Each feature validates its own options: several of them may be wrong at once.
            var reasons = e is AggregateException several
                ? several.InnerExceptions.Select(one => one.Message)
                : [DatabaseFaults.GetReason(e)];
            await Console.Error.WriteLineAsync($"PaDiM.Service cannot start: {string.Join(" ", reasons)}");
            return 1;
        }
    }

    /// <summary>Creates the service, ready to be prepared and started.</summary>
    /// <param name="args">Command-line settings.</param>
    /// <param name="replace">Registers replacements for services; for hosts other than this program.</param>
    internal static WebApplication Build(string[] args, Action<IServiceCollection>? replace = null)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
        );
        builder.AddLogging();
        builder.AddServer();
        builder.AddTelemetry();
        builder.Services.AddRoles();
        builder.Services.AddMemory();
        builder.Services.AddData();
        builder.Services.AddAccess();
        builder.Services.AddBackbones();
        builder.Services.AddCategories();
        builder.Services.AddAdmission();
        builder.Services.AddImages();
        builder.Services.AddJobs();
        builder.Services.AddModels();
        builder.Services.AddDatasets();
        builder.Services.AddThresholds();
        builder.Services.AddFitting();
        builder.Services.AddScoring();
        builder.Services.AddInspections();
        builder.Services.AddOpenInference();
        builder.Services.AddLookoutForVision();
        builder.Services.AddSinks();
        builder.Services.AddMqttCommands();
        builder.Services.AddEvaluations();
        builder.Services.AddLearning();
        builder.Services.AddMaintenance();
        builder.Services.AddSite();
        builder.Services.AddOpenApi();
        replace?.Invoke(builder.Services);

        var app = builder.Build();
        app.UsePipeline();
        app.UseOpenApi();
        var routes = app.MapGroup("").AnswerHead();
        routes.MapAccess();
        routes.MapBackbones();
        routes.MapCategories();
        routes.MapImages();
        routes.MapJobs();
        routes.MapModels();
        routes.MapDatasets();
        routes.MapThresholds();
        routes.MapFitting();
        routes.MapScoring();
        routes.MapInspections();
        routes.MapOpenInference();
        routes.MapLookoutForVision();
        routes.MapSinks();
        routes.MapEvaluations();
        routes.MapLearning();
        routes.MapMaintenance();
        routes.MapSystem();
        routes.MapHealth();
        routes.MapMetrics();
        routes.MapSite();
        return app;
    }
}
