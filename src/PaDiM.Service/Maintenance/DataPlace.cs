using System.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// A database and the objects that its rows refer to. What is copied from it is first a file of SQLite, whatever the
/// database is, so that backups are alike and copies go in all directions.
/// </summary>
internal sealed class DataPlace
{
    private readonly PostgresEngine? _server;

    /// <summary>Represents a data directory with everything in it, or a backup.</summary>
    public DataPlace(DataDirectory directory, TimeProvider time)
        : this(directory, new DiskObjects(directory.Root, time), null) { }

    /// <summary>Represents what the settings of a service name.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="objects">Where the objects are.</param>
    /// <param name="engine">The database; one of SQLite is in the data directory.</param>
    public DataPlace(DataDirectory directory, IObjectStore objects, IDatabaseEngine? engine)
    {
        Directory = directory;
        Objects = objects;
        _server = engine as PostgresEngine;
    }

    public DataDirectory Directory { get; }

    public IObjectStore Objects { get; }

    /// <summary>Gets where the database is, for messages.</summary>
    public string Location => _server?.Location ?? Directory.Database;

    /// <summary>Gets whether the database is a server instead of a file in the data directory.</summary>
    public bool HasServer => _server is not null;

    /// <summary>Gets whether everything is in the data directory.</summary>
    public bool IsFolder => !HasServer && Objects.IsLocal;

    /// <summary>Opens a file of SQLite.</summary>
    public static PadimDbContext Open(string path) =>
        new(
            new DbContextOptionsBuilder<PadimDbContext>()
                .UseSqlite(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString)
                .Options
        );

    /// <summary>Opens a file of SQLite with the ledger.</summary>
    public static LedgerDbContext OpenLedger(string path) =>
        new(
            new DbContextOptionsBuilder<LedgerDbContext>()
                .UseSqlite(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString)
                .Options
        );

    /// <exception cref="IOException">There is no database to copy.</exception>
    public void ThrowIfAbsent()
    {
        if (!HasServer && !File.Exists(Directory.Database))
            throw new IOException(
                $"{Directory.Root} is not a data directory: it has no {Path.GetFileName(Directory.Database)}."
            );
    }

    /// <summary>Gets whether there is nothing yet that a copy would replace.</summary>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken)
    {
        if (_server is null)
            return !File.Exists(Directory.Database);
        await new Database(_server).UpgradeAsync(cancellationToken);
        await using var db = _server.CreateDbContext();
        await using var ledger = _server.CreateLedger();
        return await RowCopy.IsEmptyAsync(db, cancellationToken)
            && await RowCopy.IsEmptyAsync(ledger, cancellationToken);
    }

    /// <summary>Writes the database as of one moment to a file of SQLite. Writers do not wait for it.</summary>
    public async Task SnapshotAsync(string path, CancellationToken cancellationToken)
    {
        if (_server is null)
        {
            CopyFile(Directory.Database, path);
            return;
        }
        await using var source = _server.CreateDbContext();
        await Database.ThrowIfOtherAsync(source, Location, cancellationToken);
        await using var moment = await source.Database.BeginTransactionAsync(
            IsolationLevel.RepeatableRead,
            cancellationToken
        );
        await using var target = Open(path);
        await target.Database.MigrateAsync(cancellationToken);
        await RowCopy.RunAsync(source, target, cancellationToken);
    }

    /// <summary>
    /// Writes the ledger as of one moment, which is later than that of the database, to a file of SQLite. A place of a
    /// version without a ledger has an empty one.
    /// </summary>
    public async Task SnapshotLedgerAsync(string path, CancellationToken cancellationToken)
    {
        if (_server is null && File.Exists(Directory.Ledger))
        {
            CopyFile(Directory.Ledger, path);
            return;
        }
        await using var target = OpenLedger(path);
        await target.Database.MigrateAsync(cancellationToken);
        if (_server is null)
            return;
        await using var source = _server.CreateLedger();
        await Database.ThrowIfOtherAsync(source, _server.LedgerLocation, cancellationToken);
        await using var moment = await source.Database.BeginTransactionAsync(
            IsolationLevel.RepeatableRead,
            cancellationToken
        );
        await RowCopy.RunAsync(source, target, cancellationToken);
    }

    /// <summary>Makes a snapshot of another ledger the ledger of this place. It comes before the database.</summary>
    public async Task PublishLedgerAsync(string snapshot, CancellationToken cancellationToken)
    {
        if (_server is null)
        {
            AtomicFile.Move(snapshot, Directory.Ledger);
            return;
        }
        await using var source = OpenLedger(snapshot);
        await using var target = _server.CreateLedger();
        await using var all = await target.Database.BeginTransactionAsync(cancellationToken);
        if (!await RowCopy.IsEmptyAsync(target, cancellationToken))
            throw new IOException($"The ledger in {_server.LedgerLocation} is not empty. Nothing was changed in it.");
        await RowCopy.RunAsync(source, target, cancellationToken);
        await all.CommitAsync(CancellationToken.None);
    }

    /// <summary>Makes a snapshot of another place the database of this one: completely or not at all.</summary>
    /// <exception cref="InvalidDataException">The rows that arrived are not those that were sent.</exception>
    public async Task PublishAsync(string snapshot, CancellationToken cancellationToken)
    {
        if (_server is null)
        {
            AtomicFile.Move(snapshot, Directory.Database);
            return;
        }
        await using var source = Open(snapshot);
        await using var target = _server.CreateDbContext();
        await using var all = await target.BeginExclusiveAsync(cancellationToken);
        // Another copy may have been faster.
        if (!await RowCopy.IsEmptyAsync(target, cancellationToken))
            throw new IOException($"The database {Location} is not empty. Nothing was changed in it.");
        await RowCopy.RunAsync(source, target, cancellationToken);
        await RowCopy.ContinueNumbersAsync(target, cancellationToken);
        await all.CommitAsync(CancellationToken.None);
    }

    private static void CopyFile(string database, string path)
    {
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = database,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false,
            }.ConnectionString
        );
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "VACUUM INTO $path";
        command.Parameters.AddWithValue("$path", path);
        command.ExecuteNonQuery();
    }
}
