using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Options;
using Npgsql;

namespace PaDiM.Service.Data;

/// <summary>
/// PostgreSQL. Nothing lives in a session (no prepared statements, session settings or session locks), so that a pooler
/// in transaction mode may stand in between.
/// </summary>
internal sealed class PostgresEngine : IDatabaseEngine, IAsyncDisposable, IDisposable
{
    /// <summary>How long a process waits for another one that upgrades the database.</summary>
    private static readonly TimeSpan UpgradeWait = TimeSpan.FromMinutes(1);

    private readonly NpgsqlDataSource _source;
    private readonly PooledDbContextFactory<PostgresDbContext> _contexts;
    private readonly PooledDbContextFactory<PostgresLedgerContext> _ledgers;

    public PostgresEngine(
        IOptions<DataOptions> options,
        ILoggerFactory loggers,
        IServiceProvider services,
        TimeProvider time
    )
    {
        var settings = options.Value.Database;
        var connection = Parse(settings.ConnectionString!);
        connection.MaxPoolSize = settings.MaxConnections;
        if (!connection.ShouldSerialize(nameof(connection.HostRecheckSeconds)))
            connection.HostRecheckSeconds = HostRecheck.Seconds;
        Location = FormattableString.Invariant($"{connection.Database} at {connection.Host}:{connection.Port}");
        _source = new NpgsqlDataSourceBuilder(connection.ConnectionString).UseLoggerFactory(loggers).Build();
        _contexts = new PooledDbContextFactory<PostgresDbContext>(
            new DbContextOptionsBuilder<PostgresDbContext>()
                .UseApplicationServiceProvider(services)
                .UseNpgsql(_source)
                .AddInterceptors([RowLocks.Interceptor, .. HostRecheck.CreateFor(_source, time)])
                .Options
        );
        _ledgers = new PooledDbContextFactory<PostgresLedgerContext>(
            new DbContextOptionsBuilder<PostgresLedgerContext>()
                .UseApplicationServiceProvider(services)
                .UseNpgsql(
                    _source,
                    npgsql =>
                        npgsql.MigrationsHistoryTable(HistoryRepository.DefaultTableName, PostgresLedgerContext.Schema)
                )
                .AddInterceptors(RowLocks.Interceptor)
                .Options
        );
    }

    public string Location { get; }

    public string LedgerLocation => $"{Location}, schema {PostgresLedgerContext.Schema}";

    public PadimDbContext CreateDbContext() => _contexts.CreateDbContext();

    public LedgerDbContext CreateLedger() => _ledgers.CreateDbContext();

    /// <summary>Reads a connection string, with what this program changes in it.</summary>
    public static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString)
        {
            // There is no state to reset, and a pooler may give the statement to another session.
            NoResetOnClose = true,
            MaxAutoPrepare = 0,
            ApplicationName = "padim",
        };
        // A server that is gone should cost a request less than Npgsql's 15 seconds, and still less where another one may
        // be there.
        if (!connection.ShouldSerialize(nameof(connection.Timeout)))
            connection.Timeout = connection.Host!.Contains(',', StringComparison.Ordinal) ? 2 : 5;
        // So should one that hangs; what takes longer by nature says so.
        if (!connection.ShouldSerialize("Command Timeout"))
            connection.CommandTimeout = 10;
        return connection;
    }

    /// <summary>Closes the idle connections, and those in use when they are given back.</summary>
    public void ForgetConnections() => _source.Clear();

    /// <summary>The lock ends with its transaction, and so with the connection.</summary>
    public async Task<IAsyncDisposable> LockUpgradeAsync(DbContext db, CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken);
        try
        {
            await connection.BeginTransactionAsync(cancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT pg_advisory_xact_lock({(long)AdvisoryLock.Upgrade})";
            command.CommandTimeout = (int)UpgradeWait.TotalSeconds;
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch (NpgsqlException e) when (e.InnerException is TimeoutException)
        {
            await connection.DisposeAsync();
            throw new InvalidOperationException(
                $"Another process has been upgrading the database {Location} for {UpgradeWait.TotalSeconds} seconds. "
                    + "Start the service again when it is done.",
                e
            );
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a notification to all processes that listen.</summary>
    public async Task NotifyAsync(string payload, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("SELECT pg_notify($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = ChangeFeed.Channel });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = payload });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public Task PrepareAsync(DbContext db, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// The server checks its pages itself where it has checksums; <c>pg_amcheck</c> looks deeper, and needs an extension
    /// that only an administrator can create.
    /// </summary>
    public async Task<string> CheckIntegrityAsync(DbContext db, CancellationToken cancellationToken)
    {
        var failures = await db
            .Database.SqlQuery<long>(
                $"SELECT COALESCE(checksum_failures, 0) AS \"Value\" FROM pg_stat_database WHERE datname = current_database()"
            )
            .SingleAsync(cancellationToken);
        return failures == 0 ? "ok" : $"PostgreSQL has counted {failures} pages with a wrong checksum.";
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    public void Dispose() => _source.Dispose();
}

/// <summary>The advisory locks of PostgreSQL that this program takes, all for the length of a transaction.</summary>
internal enum AdvisoryLock : long
{
    /// <summary>Of the process that upgrades the database.</summary>
    Upgrade = 0x7061_6469_6d01,

    /// <summary>Of <see cref="PadimDbContext.BeginExclusiveAsync"/>.</summary>
    Exclusive = 0x7061_6469_6d02,
}
