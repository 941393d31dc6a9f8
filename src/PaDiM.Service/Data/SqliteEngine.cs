using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace PaDiM.Service.Data;

/// <summary>SQLite: a file in the data directory.</summary>
internal sealed class SqliteEngine(DataDirectory data, IServiceProvider services, TimeProvider time) : IDatabaseEngine
{
    private readonly PooledDbContextFactory<PadimDbContext> _contexts = new(
        new DbContextOptionsBuilder<PadimDbContext>()
            .UseApplicationServiceProvider(services)
            .UseSqlite(new SqliteConnectionStringBuilder { DataSource = data.Database }.ConnectionString)
            .Options
    );

    private readonly PooledDbContextFactory<LedgerDbContext> _ledgers = new(
        new DbContextOptionsBuilder<LedgerDbContext>()
            .UseApplicationServiceProvider(services)
            .UseSqlite(new SqliteConnectionStringBuilder { DataSource = data.Ledger }.ConnectionString)
            .Options
    );

    public string Location => data.Database;

    public string LedgerLocation => data.Ledger;

    public PadimDbContext CreateDbContext() => _contexts.CreateDbContext();

    public LedgerDbContext CreateLedger() => _ledgers.CreateDbContext();

    /// <summary>
    /// EF's own lock is a row, which a killed process leaves behind forever. A file lock ends with its process, so its
    /// holder may delete the row.
    /// </summary>
    public async Task<IAsyncDisposable> LockUpgradeAsync(DbContext db, CancellationToken cancellationToken)
    {
        var file = await OpenLockAsync(cancellationToken);
        var locks = await db
            .Database.SqlQuery<int>($"SELECT COUNT(*) AS Value FROM sqlite_master WHERE name = '__EFMigrationsLock'")
            .SingleAsync(cancellationToken);
        if (locks > 0)
            await db.Database.ExecuteSqlRawAsync("DELETE FROM \"__EFMigrationsLock\"", cancellationToken);
        return file;
    }

    /// <summary>With WAL, readers and the single writer do not block each other.</summary>
    public Task PrepareAsync(DbContext db, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);

    public async Task<string> CheckIntegrityAsync(DbContext db, CancellationToken cancellationToken) =>
        (
            await db
                .Database.SqlQuery<string>($"SELECT integrity_check AS Value FROM pragma_integrity_check")
                .ToListAsync(cancellationToken)
        )[0];

    private async Task<FileStream> OpenLockAsync(CancellationToken cancellationToken)
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
