using Microsoft.EntityFrameworkCore;

namespace PaDiM.Service.Storage;

/// <summary>Brings the database up to date, and refuses one that a newer version has written.</summary>
internal sealed class Database(IDbContextFactory<PadimDbContext> contexts, DataDirectory data)
{
    public async Task UpgradeAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var known = db.Database.GetMigrations().ToHashSet();
        var unknown = (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).FirstOrDefault(migration => !known.Contains(migration));
        if (unknown is not null)
            throw new InvalidDataException($"The database {data.Database} was written by a newer version of the service ({unknown}). Start that version, or restore a backup from before the upgrade.");
        await db.Database.MigrateAsync(cancellationToken);
        // Readers and the one writer then do not wait for each other.
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
    }
}
