using Microsoft.EntityFrameworkCore;

namespace PaDiM.Service.Data;

/// <summary>
/// Migrates the databases, of the metadata and of the ledger, to this version, and refuses one from a newer version.
/// </summary>
internal sealed class Database(IDatabaseEngine engine)
{
    private static readonly TimeSpan MigrationTimeout = TimeSpan.FromHours(1);

    public async Task UpgradeAsync(CancellationToken cancellationToken)
    {
        await using (var db = engine.CreateDbContext())
            await UpgradeAsync(db, engine.Location, cancellationToken);
        await using (var ledger = engine.CreateLedger())
            await UpgradeAsync(ledger, engine.LedgerLocation, cancellationToken);
    }

    private async Task UpgradeAsync(DbContext db, string location, CancellationToken cancellationToken)
    {
        await ThrowIfNewerAsync(db, location, cancellationToken);
        if ((await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any())
        {
            await using var guard = await engine.LockUpgradeAsync(db, cancellationToken);
            // Another process, perhaps of a newer version, may have been faster.
            await ThrowIfNewerAsync(db, location, cancellationToken);
            // An index of a million rows takes its time.
            db.Database.SetCommandTimeout(MigrationTimeout);
            await db.Database.MigrateAsync(cancellationToken);
        }
        await engine.PrepareAsync(db, cancellationToken);
    }

    /// <exception cref="InvalidDataException">The database was written by a newer version of the service.</exception>
    public static async Task ThrowIfNewerAsync(DbContext db, string location, CancellationToken cancellationToken)
    {
        var known = db.Database.GetMigrations().ToHashSet();
        if (
            (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).FirstOrDefault(migration =>
                !known.Contains(migration)
            ) is
            { } unknown
        )
            throw new InvalidDataException(
                $"The database {location} was written by a newer version of the service ({unknown}). Start that "
                    + "version, or restore a backup from before the upgrade."
            );
    }

    /// <exception cref="InvalidDataException">The database was written by another version of the service.</exception>
    public static async Task ThrowIfOtherAsync(DbContext db, string location, CancellationToken cancellationToken)
    {
        await ThrowIfNewerAsync(db, location, cancellationToken);
        if ((await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any())
            throw new InvalidDataException(
                $"The database {location} was written by an older version of the service. Use the matching "
                    + "program, or start this service once to upgrade the database."
            );
    }
}
