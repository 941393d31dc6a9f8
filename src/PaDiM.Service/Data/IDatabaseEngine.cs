using Microsoft.EntityFrameworkCore;

namespace PaDiM.Service.Data;

/// <summary>What SQLite and PostgreSQL do differently, apart from the model, which the contexts have.</summary>
internal interface IDatabaseEngine : IDbContextFactory<PadimDbContext>
{
    /// <summary>Gets where the database is, for messages: never with a password.</summary>
    string Location { get; }

    /// <summary>Gets where the ledger of inspections is, for messages.</summary>
    string LedgerLocation { get; }

    /// <summary>Creates a context of the ledger.</summary>
    LedgerDbContext CreateLedger();

    /// <summary>
    /// Waits until no other process upgrades the database, and makes others wait until the result is disposed, or until
    /// this process dies.
    /// </summary>
    Task<IAsyncDisposable> LockUpgradeAsync(DbContext db, CancellationToken cancellationToken);

    /// <summary>Prepares an upgraded database for use.</summary>
    Task PrepareAsync(DbContext db, CancellationToken cancellationToken);

    /// <summary>Checks the database itself: <c>ok</c>, or the first complaint.</summary>
    Task<string> CheckIntegrityAsync(DbContext db, CancellationToken cancellationToken);
}
