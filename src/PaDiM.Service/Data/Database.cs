using Microsoft.EntityFrameworkCore;

namespace PaDiM.Service.Data;

/// <summary>Migrates the database to this version and refuses one from a newer version.</summary>
internal sealed class Database(IDbContextFactory<PadimDbContext> contexts, DataDirectory data, TimeProvider time)
{
    public async Task UpgradeAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await ThrowIfNewerAsync(db, data.Database, cancellationToken);
        if ((await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any())
            await MigrateAsync(db, cancellationToken);
        // With WAL, readers and the single writer do not block each other.
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
    }

    /// <exception cref="InvalidDataException">The database was written by a newer version of the service.</exception>
    public static async Task ThrowIfNewerAsync(PadimDbContext db, string path, CancellationToken cancellationToken)
    {
        var known = db.Database.GetMigrations().ToHashSet();
        if (
            (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).FirstOrDefault(migration =>
                !known.Contains(migration)
            ) is
            { } unknown
        )
            throw new InvalidDataException(
                $"The database {path} was written by a newer version of the service ({unknown}). Start that "
                    + "version, or restore a backup from before the upgrade."
            );
    }

    /// <exception cref="InvalidDataException">The database was written by another version of the service.</exception>
    public static async Task ThrowIfOtherAsync(PadimDbContext db, string path, CancellationToken cancellationToken)
    {
        await ThrowIfNewerAsync(db, path, cancellationToken);
        if ((await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any())
            throw new InvalidDataException(
                $"The database {path} was written by an older version of the service. Use the matching "
                    + "program, or start this service once to upgrade the database."
            );
    }

    /// <summary>
    /// EF's own lock is a row, which a killed process leaves behind forever. A file lock ends with its process, so its
    /// holder may delete the row.
    /// </summary>
    private async Task MigrateAsync(PadimDbContext db, CancellationToken cancellationToken)
    {
        await using var guard = await LockAsync(cancellationToken);
        var locks = await db
            .Database.SqlQuery<int>($"SELECT COUNT(*) AS Value FROM sqlite_master WHERE name = '__EFMigrationsLock'")
            .SingleAsync(cancellationToken);
        if (locks > 0)
            await db.Database.ExecuteSqlRawAsync("DELETE FROM \"__EFMigrationsLock\"", cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
    }

    private async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var until = time.GetUtcNow().AddMinutes(1);
        for (; ; )
        {
            try
            {
                return new FileStream(
                    data.Database + ".lock",
                    FileMode.OpenOrCreate,
                    FileAccess.ReadWrite,
                    FileShare.None
                );
            }
            catch (IOException) when (time.GetUtcNow() < until)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellationToken);
            }
        }
    }
}
