using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PaDiM.Service.Data;
using PaDiM.TestSupport;

namespace PaDiM.Service.TestSupport;

/// <summary>
/// A PostgreSQL server of this machine's binaries on loopback, as a user without rights: one for all tests of a process,
/// started by the first that needs it. Each test has a database of its own, a copy of a migrated one.
/// </summary>
internal sealed class PostgresServer
{
    private const string Template = "template_padim";

    /// <summary>Gets the folder of the programs; null where PostgreSQL is absent.</summary>
    public static readonly string? Binaries = FindBinaries();
    private static readonly Lazy<Task<PostgresServer>> Started = new(StartAsync);
    private readonly Process _process;
    private int _databases;

    /// <summary>
    /// The shell waits for the end of its input, which comes with the end of this process, however that ends, and then
    /// stops the server. The default locale sorts as dictionaries do, so that tests notice what relies on it.
    /// </summary>
    private const string Script = """
        dir=$(mktemp -d "${TMPDIR:-/tmp}/padim-postgres-XXXXXX")
        chmod 755 "$dir"
        as=
        [ "$(id -u)" != 0 ] || { chown postgres "$dir"; as='setpriv --reuid=postgres --regid=postgres --clear-groups'; }
        cd "$dir"
        set -- -D "$dir/data" -U padim -A trust -E UTF8 --no-sync
        $as "$BIN/initdb" "$@" --locale=C --locale-provider=icu --icu-locale=en-US >"$dir/log" 2>&1 ||
            $as "$BIN/initdb" "$@" --locale=C >"$dir/log" 2>&1 || { cat "$dir/log" >&2; rm -rf "$dir"; exit 1; }
        $as "$BIN/postgres" -D "$dir/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
            -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=500 \
            -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=8GB \
            -c maintenance_work_mem=256MB -c log_line_prefix="%d " >"$dir/log" 2>&1 &
        echo "$dir/log"
        read -r _
        kill -QUIT $!
        wait $!
        rm -rf "$dir"
        """;

    /// <summary>The port on which it listens.</summary>
    public int Port { get; } = FreePort.Find();

    /// <summary>The log of the server; its lines begin with the name of the database.</summary>
    public string Log { get; private set; } = "";

    private PostgresServer() =>
        _process = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", Script])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["BIN"] = Binaries, ["PORT"] = $"{Port}" },
            }
        )!;

    /// <summary>Skips the test where there is no PostgreSQL.</summary>
    public static void SkipIfMissing() =>
        Assert.SkipWhen(Binaries is null, "PostgreSQL is not installed: /usr/lib/postgresql/*/bin/postgres.");

    /// <summary>Creates an empty database with the newest schema, and gets the settings of a service that uses it.</summary>
    public static async Task<(string Option, object Value)[]> CreateOptionsAsync() =>
        Options(await (await GetAsync()).CreateAsync());

    /// <summary>Gets the server; starts it if this is its first use.</summary>
    public static Task<PostgresServer> GetAsync()
    {
        SkipIfMissing();
        return Started.Value;
    }

    /// <summary>Gets the settings of a service that uses a database.</summary>
    public static (string Option, object Value)[] Options(string connectionString) =>
        [("Database:Provider", "postgresql"), ("Database:ConnectionString", connectionString)];

    /// <summary>Creates a database and gets its connection string.</summary>
    /// <param name="template">The database to copy: one with the newest schema, or <c>template0</c> for nothing.</param>
    public async Task<string> CreateAsync(string template = Template)
    {
        var name = $"padim_{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync(GetConnectionString("postgres"), $"CREATE DATABASE {name} TEMPLATE {template}");
        return GetConnectionString(name);
    }

    /// <summary>Executes a statement, on a connection of its own.</summary>
    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Gets the connection string of a database.</summary>
    public string GetConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Port};Database={database};Username=padim";

    private static async Task<PostgresServer> StartAsync()
    {
        var server = new PostgresServer();
        server.Log =
            await server._process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException(await server._process.StandardError.ReadToEndAsync());
        await Eventually.TrueAsync(server.AnswersAsync, () => "PostgreSQL does not answer.");
        await ExecuteAsync(server.GetConnectionString("postgres"), $"CREATE DATABASE {Template}");
        await using var db = new PostgresDbContext(
            new DbContextOptionsBuilder<PostgresDbContext>()
                .UseNpgsql(server.GetConnectionString(Template) + ";Pooling=false")
                .Options
        );
        await db.Database.MigrateAsync();
        return server;
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await ExecuteAsync(GetConnectionString("postgres"), "SELECT 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static string? FindBinaries()
    {
        const string root = "/usr/lib/postgresql";
        return Directory.Exists(root)
            ? Directory
                .GetDirectories(root)
                .Select(version => Path.Combine(version, "bin"))
                .Where(bin => File.Exists(Path.Combine(bin, "postgres")))
                .Order(StringComparer.Ordinal)
                .LastOrDefault()
            : null;
    }
}
