using System.CommandLine;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
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

    public static IEnumerable<Command> Create() => [CreateBackup(), CreateRestore(), CreateScrub()];

    private static Command CreateBackup()
    {
        var data = new Argument<string>("data") { Description = "Data directory; a service may be using it." };
        var target = new Argument<string>("target")
        {
            Description = "Backup folder; unchanged files of an earlier backup are not copied again.",
        };
        var command = new Command("backup", "Back up a data directory, verifying the hash of every file.")
        {
            data,
            target,
        };
        command.SetAction(
            async (arguments, cancellationToken) =>
                Print(
                    await (await CreateCopyAsync(arguments.GetValue(data)!, arguments.GetValue(target)!)).BackUpAsync(
                        cancellationToken
                    )
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
            "Restore a data directory from a backup, verifying the hash of every file."
        )
        {
            backup,
            data,
        };
        command.SetAction(
            async (arguments, cancellationToken) =>
                Print(
                    await (await CreateCopyAsync(arguments.GetValue(backup)!, arguments.GetValue(data)!)).RestoreAsync(
                        cancellationToken
                    )
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
                await ThrowIfPostgresAsync();
                if (!File.Exists(directory.Database))
                    throw new IOException(
                        $"{directory.Root} is not a data directory: it has no "
                            + $"{Path.GetFileName(directory.Database)}."
                    );
                await using var app = CommandHost.Create(
                    directory.Root,
                    services =>
                        services
                            .AddPadimOptions<MaintenanceOptions>()
                            .AddSingleton<OrphanSweeper>()
                            .AddSingleton<DamagedModels>()
                            .AddSingleton<ModelFiles>()
                            .AddSingleton<ModelCache>()
                            .AddSingleton<OrphanSweeper>()
                            .AddSingleton<Scrub>(),
                    (nameof(MaintenanceOptions.ScrubMegabytesPerSecond), "0")
                );
                directory.Create();
                await using (
                    var db = await app
                        .Services.GetRequiredService<IDbContextFactory<PadimDbContext>>()
                        .CreateDbContextAsync(cancellationToken)
                )
                    await Database.ThrowIfOtherAsync(db, directory.Database, cancellationToken);
                var report = await app.Services.GetRequiredService<Scrub>().RunAsync(progress: null, cancellationToken);
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(report, Reports.Json));
                return report.IsClean() ? CommandHost.Done : CommandHost.Failure;
            }
        );
        return command;
    }

    private static async Task<DataCopy> CreateCopyAsync(string source, string target)
    {
        await ThrowIfPostgresAsync();
        return new DataCopy(new DataDirectory(source), new DataDirectory(target), TimeProvider.System);
    }

    /// <summary>A copy of the files without their rows would look like a backup.</summary>
    private static async Task ThrowIfPostgresAsync()
    {
        await using var app = CommandHost.Create(dataDirectory: null, _ => { });
        var database = app.Services.GetRequiredService<IOptions<DataOptions>>().Value.Database;
        if (database.Provider == DatabaseProvider.PostgreSql)
            throw new InvalidDataException(
                "The settings name PostgreSQL, and this command works on a data directory with SQLite. Back up the "
                    + "database with pg_dump first and the data directory second."
            );
        if (app.Services.GetRequiredService<IOptions<ObjectOptions>>().Value.ObjectStore == ObjectStoreKind.S3)
            throw new InvalidDataException(
                "The settings name a bucket (ObjectStore=s3), and this command works on a data directory. Back up the "
                    + "database first and copy the bucket second."
            );
    }

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
