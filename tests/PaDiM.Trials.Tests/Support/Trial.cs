using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Objects;
using PaDiM.Service.TestSupport;

namespace PaDiM.Trials.Support;

/// <summary>What several trials look at in the end.</summary>
internal static class Trial
{
    /// <summary>
    /// Every row has its file and every file its hash; what a crash left behind goes with the first sweep after the
    /// time of grace; then every file has its row.
    /// </summary>
    public static async Task IsWholeAsync(RunningService service)
    {
        var later = new ManualTime();
        later.Advance(TimeSpan.FromHours(1));
        using var sweeper = new OrphanSweeper(
            service.Get<IDbContextFactory<PadimDbContext>>(),
            service.Get<DataDirectory>(),
            service.Get<IObjectStore>(),
            service.Get<Duties>(),
            service.Get<IOptions<MaintenanceOptions>>(),
            later,
            NullLogger<OrphanSweeper>.Instance
        );
        await sweeper.SweepAsync(default);
        Assert.Empty(await sweeper.FindAsync(default));
        var report = await service.Get<Scrub>().RunAsync(null, default);
        Assert.True(
            report.IsClean(),
            $"{report.Database}; missing: {string.Join(", ", report.Missing.Files)}; damaged: "
                + $"{string.Join(", ", report.Damaged.Files)}"
        );
        await using var db = await service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        var blobs = await FileReferences
            .ListAsync(db, default)
            .Where(file => file.Kind is FileKind.Image or FileKind.Mask or FileKind.IgnoreMask)
            .CountAsync();
        Assert.Equal(
            blobs,
            Directory.GetFiles(service.Get<DataDirectory>().Images, "*", SearchOption.AllDirectories).Length
        );
        Assert.Equal(
            await db.Models.CountAsync(),
            Directory
                .GetFiles(service.Get<DataDirectory>().Models, "*", SearchOption.AllDirectories)
                .Count(path => !path.Contains("statistics", StringComparison.Ordinal))
        );
    }

    /// <summary>SQLite's own check of the database, by a connection of its own.</summary>
    public static string IntegrityOf(string dataDirectory) => CheckFile(new DataDirectory(dataDirectory).Database);

    /// <summary>SQLite's own check of the ledger, by a connection of its own.</summary>
    public static string IntegrityOfLedger(string dataDirectory) => CheckFile(new DataDirectory(dataDirectory).Ledger);

    private static string CheckFile(string path)
    {
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString
        );
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check(1)";
        return (string)command.ExecuteScalar()!;
    }

    /// <summary>Tells what was seen, for the table of the trials.</summary>
    public static void Tell(string seen) => TestContext.Current.TestOutputHelper?.WriteLine(seen);

    public static int Version(this System.Text.Json.Nodes.JsonNode scored) => scored["modelVersion"]!.GetValue<int>();
}
