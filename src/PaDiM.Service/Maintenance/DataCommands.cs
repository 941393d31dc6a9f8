using System.CommandLine;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.CommandLine;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Models;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// The commands that work on a data directory instead of serving it: <c>backup</c>, <c>restore</c> and <c>scrub</c>.
/// Each prints one JSON object.
/// </summary>
internal static class DataCommands
{
    /// <summary>Number of files listed for people; the JSON lists all.</summary>
    private const int MaxListed = 100;

    public static IEnumerable<Command> Create() => [CreateBackup(), CreateRestore(), CreateMigrate(), CreateScrub()];

    private static Command CreateBackup()
    {
        var data = new Argument<string>("data") { Description = "Data directory; a service may be using it." };
        var target = new Argument<string>("target")
        {
            Description = "Backup folder; unchanged files of an earlier backup are not copied again.",
        };
        var command = new Command(
            "backup",
            "Back up a data directory, with the database and the bucket that the settings name, verifying the hash of "
                + "every file."
        )
        {
            data,
            target,
        };
        command.SetAction(
            (arguments, cancellationToken) =>
                CopyAsync(
                    arguments.GetValue(data)!,
                    (place, time) =>
                        new DataCopy(
                            place,
                            new DataPlace(new DataDirectory(arguments.GetValue(target)!), time),
                            time
                        ).BackUpAsync(cancellationToken)
                )
        );
        return command;
    }

    private static Command CreateRestore()
    {
        var backup = new Argument<string>("backup") { Description = "Backup folder." };
        var data = new Argument<string>("data")
        {
            Description = "Data directory to create; must not exist or be empty.",
        };
        var command = new Command(
            "restore",
            "Restore a data directory, with the database and the bucket that the settings name, from a backup, "
                + "verifying the hash of every file."
        )
        {
            backup,
            data,
        };
        command.SetAction(
            (arguments, cancellationToken) =>
                CopyAsync(
                    arguments.GetValue(data)!,
                    (place, time) =>
                        new DataCopy(
                            new DataPlace(new DataDirectory(arguments.GetValue(backup)!), time),
                            place,
                            time
                        ).RestoreAsync(cancellationToken)
                )
        );
        return command;
    }

    private static Command CreateMigrate()
    {
        var data = new Argument<string>("data") { Description = "Data directory with SQLite, images and models." };
        var back = new Option<bool>("--back")
        {
            Description = "Copy from what the settings name to the data directory, which is created.",
        };
        var command = new Command(
            "migrate",
            "Copy a data directory to the database and the bucket that the settings name, or back, verifying every "
                + "row and file. Stop the service first. An interrupted copy continues."
        )
        {
            data,
            back,
        };
        command.SetAction(
            (arguments, cancellationToken) =>
                CopyAsync(
                    null,
                    (place, time) =>
                    {
                        if (place.IsFolder)
                            throw new InvalidDataException(
                                "The settings name neither PostgreSQL (Database:Provider) nor a bucket (ObjectStore). "
                                    + "To copy a data directory to another, use backup and restore."
                            );
                        var folder = new DataPlace(new DataDirectory(arguments.GetValue(data)!), time);
                        var (from, to) = arguments.GetValue(back) ? (place, folder) : (folder, place);
                        return new DataCopy(from, to, time).MigrateAsync(cancellationToken);
                    }
                )
        );
        return command;
    }

    private static Command CreateScrub()
    {
        var data = new Argument<string>("data") { Description = "Data directory; a service may be using it." };
        var command = new Command(
            "scrub",
            "Read every file of a data directory, verify its hash, and list missing, damaged and "
                + "unreferenced files."
        )
        {
            data,
        };
        command.SetAction(
            async (arguments, cancellationToken) =>
            {
                var directory = new DataDirectory(arguments.GetValue(data)!);
                await using var app = CommandHost.Create(
                    directory.Root,
                    services =>
                        services
                            .AddPadimOptions<MaintenanceOptions>()
                            .AddSingleton<Duties>()
                            .AddSingleton<OrphanSweeper>()
                            .AddSingleton<DamagedModels>()
                            .AddSingleton<ModelFiles>()
                            .AddSingleton<ModelCache>()
                            .AddSingleton<Scrub>(),
                    (nameof(MaintenanceOptions.ScrubMegabytesPerSecond), "0")
                );
                var place = GetPlace(app);
                place.ThrowIfAbsent();
                await place.Objects.PrepareAsync(cancellationToken);
                directory.Create();
                await using (
                    var db = await app
                        .Services.GetRequiredService<IDbContextFactory<PadimDbContext>>()
                        .CreateDbContextAsync(cancellationToken)
                )
                    await Database.ThrowIfOtherAsync(db, place.Location, cancellationToken);
                var report = await app.Services.GetRequiredService<Scrub>().RunAsync(progress: null, cancellationToken);
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(report, Reports.Json));
                return report.IsClean() ? CommandHost.Done : CommandHost.Failure;
            }
        );
        return command;
    }

    /// <summary>Copies from or to what the settings name.</summary>
    /// <param name="dataDirectory">The data directory; null for the one of the settings.</param>
    /// <param name="copy">Copies.</param>
    private static async Task<int> CopyAsync(
        string? dataDirectory,
        Func<DataPlace, TimeProvider, Task<CopyReport>> copy
    )
    {
        await using var app = CommandHost.Create(dataDirectory, _ => { });
        var place = GetPlace(app);
        await place.Objects.PrepareAsync(CancellationToken.None);
        return Print(await copy(place, TimeProvider.System));
    }

    /// <summary>Gets what the settings name.</summary>
    internal static DataPlace GetPlace(WebApplication app) =>
        new(
            app.Services.GetRequiredService<DataDirectory>(),
            app.Services.GetRequiredService<IObjectStore>(),
            app.Services.GetRequiredService<IDatabaseEngine>()
        );

    private static int Print(CopyReport report)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(report, Reports.Json));
        foreach (var file in report.Lost.Take(MaxListed))
            Console.Error.WriteLine($"{file.Path} of {file.Category}: {file.Fault.ToString().ToLowerInvariant()}");
        if (report.Lost.Count > 0)
            Console.Error.WriteLine(
                $"{report.Lost.Count} source files are missing, damaged or unreadable; apart from them, the "
                    + "copy is complete."
            );
        return report.Lost.Count == 0 ? CommandHost.Done : CommandHost.Failure;
    }
}
