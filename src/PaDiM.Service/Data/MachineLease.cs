using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Machine;

namespace PaDiM.Service.Data;

/// <summary>
/// Keeps the processes of a second machine from a SQLite database, whose locks hold among the processes of one machine. A
/// row names the machine that uses the database, and counts on while one of its processes lives: whether the number
/// changes can be seen whatever the clocks of the two machines say. PostgreSQL needs none of this.
/// </summary>
internal sealed partial class MachineLease(
    IDatabaseEngine engine,
    DataDirectory data,
    MachineIdentity machine,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<MachineLease> logger
) : BackgroundService
{
    /// <summary>How often a process counts, and how long another machine watches for that.</summary>
    internal static readonly TimeSpan Beat = TimeSpan.FromSeconds(5),
        Watch = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private bool _isTaken;

    /// <summary>Makes the database that of this machine.</summary>
    /// <exception cref="InvalidDataException">A process of another machine uses it.</exception>
    public async Task TakeAsync(CancellationToken cancellationToken)
    {
        if (engine is not SqliteEngine)
            return;
        await using var db = engine.CreateDbContext();
        await Database.ThrowIfNewerAsync(db, engine.Location, cancellationToken);
        // Not part of the model: PostgreSQL has no use for it, and a backup none for its row.
        await db.Database.ExecuteSqlAsync(
            $"""
            CREATE TABLE IF NOT EXISTS "MachineLease" (
                "Id" INTEGER PRIMARY KEY CHECK ("Id" = 1), "Machine" TEXT NULL, "Name" TEXT NOT NULL, "Beats" INTEGER NOT NULL)
            """,
            cancellationToken
        );
        await db.Database.ExecuteSqlAsync(
            $"""INSERT OR IGNORE INTO "MachineLease" VALUES (1, NULL, '', 0)""",
            cancellationToken
        );
        for (; ; )
        {
            var found = await WatchAsync(db, cancellationToken);
            var taken = await db.Database.ExecuteSqlAsync(
                $"""
                UPDATE "MachineLease" SET "Machine" = {machine.Id}, "Name" = {machine.Name}, "Beats" = "Beats" + 1
                WHERE "Machine" IS {found.Machine} AND "Beats" = {found.Beats} OR "Machine" = {machine.Id}
                """,
                cancellationToken
            );
            if (taken > 0)
                break;
        }
        _isTaken = true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!_isTaken)
            return;
        using var timer = new PeriodicTimer(Beat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                try
                {
                    await using var db = engine.CreateDbContext();
                    if (await CountAsync(db, stoppingToken))
                        continue;
                    var other = (await ReadAsync(db, stoppingToken)).Name;
                    LogLost(data.Root, other);
                    _isTaken = false;
                    lifetime.StopApplication();
                    return;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // A full disk, or another writer for a minute: the next count will do.
                    LogNotCounted(e);
                }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    /// <summary>Lets another machine start at once. A process of this machine that goes on takes the row again.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!_isTaken)
            return;
        try
        {
            await using var db = engine.CreateDbContext();
            await db.Database.ExecuteSqlAsync(
                $"""UPDATE "MachineLease" SET "Machine" = NULL WHERE "Machine" = {machine.Id}""",
                CancellationToken.None
            );
        }
        catch (Exception e)
        {
            LogNotCounted(e);
        }
    }

    /// <summary>Waits until the row belongs to this machine or to none that lives.</summary>
    private async Task<Row> WatchAsync(PadimDbContext db, CancellationToken cancellationToken)
    {
        var first = await ReadAsync(db, cancellationToken);
        if (first.Machine is null || first.Machine == machine.Id)
            return first;
        LogWatching(data.Root, first.Name, Watch.TotalSeconds);
        for (var began = time.GetTimestamp(); time.GetElapsedTime(began) < Watch; )
        {
            await Task.Delay(Look, time, cancellationToken);
            var now = await ReadAsync(db, cancellationToken);
            if (now.Machine is null || now.Machine == machine.Id)
                return now;
            if (now != first)
                throw new InvalidDataException(
                    $"The data directory {data.Root} is in use by another machine, {now.Name}. The locks of SQLite hold "
                        + "on one machine only. Stop the service there, or keep the metadata in PostgreSQL "
                        + "(Database:Provider), so that several machines can share it."
                );
        }
        return first;
    }

    private async Task<bool> CountAsync(PadimDbContext db, CancellationToken cancellationToken) =>
        await db.Database.ExecuteSqlAsync(
            $"""
            UPDATE "MachineLease" SET "Machine" = {machine.Id}, "Name" = {machine.Name}, "Beats" = "Beats" + 1
            WHERE "Machine" = {machine.Id} OR "Machine" IS NULL
            """,
            cancellationToken
        ) > 0;

    private static Task<Row> ReadAsync(PadimDbContext db, CancellationToken cancellationToken) =>
        db
            .Database.SqlQuery<Row>($"""SELECT "Machine", "Name", "Beats" FROM "MachineLease" """)
            .SingleAsync(cancellationToken);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{DataDirectory} was last used by another machine, {Name}; watching for {Seconds} s whether it still is"
    )]
    private partial void LogWatching(string dataDirectory, string name, double seconds);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Another machine, {Name}, has taken over {DataDirectory}; this service stops"
    )]
    private partial void LogLost(string dataDirectory, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not note that the data directory is in use")]
    private partial void LogNotCounted(Exception exception);

    /// <summary>The row.</summary>
    internal sealed record Row(string? Machine, string Name, long Beats);
}
