using System.Diagnostics;
using Npgsql;
using PaDiM.TestSupport;

namespace PaDiM.Service.TestSupport;

/// <summary>PgBouncer in transaction mode, in front of the tests' server, until it is disposed.</summary>
internal sealed class Pooler : IAsyncDisposable
{
    private static readonly string? Program = new[] { "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer" }.FirstOrDefault(
        File.Exists
    );

    /// <summary>The shell waits for the end of its input, and then stops the pooler. It refuses to run as root.</summary>
    private const string Script = """
        dir=$(mktemp -d "${TMPDIR:-/tmp}/padim-pooler-XXXXXX")
        chmod 755 "$dir"
        as=
        [ "$(id -u)" != 0 ] || as='setpriv --reuid=postgres --regid=postgres --clear-groups'
        cat >"$dir/pooler.ini" <<END
        [databases]
        * = host=127.0.0.1 port=$SERVER user=padim
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = $PORT
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        default_pool_size = 4
        END
        $as "$PROGRAM" -q "$dir/pooler.ini" >"$dir/log" 2>&1 &
        read -r _
        kill -KILL $!
        wait $! 2>/dev/null
        rm -rf "$dir"
        """;

    private readonly int _port = FreePort.Find();
    private readonly Process _process;

    private Pooler(int server) =>
        _process = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", Script])
            {
                RedirectStandardInput = true,
                Environment =
                {
                    ["PROGRAM"] = Program,
                    ["SERVER"] = $"{server}",
                    ["PORT"] = $"{_port}",
                },
            }
        )!;

    /// <summary>Starts a pooler; skips the test where there is none.</summary>
    public static async Task<Pooler> StartAsync()
    {
        Assert.SkipWhen(Program is null, "PgBouncer is not installed.");
        var server = await PostgresServer.GetAsync();
        var pooler = new Pooler(server.Port);
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await PostgresServer.ExecuteAsync(pooler.Lead(server.GetConnectionString("postgres")), "SELECT 1");
                    return true;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            },
            () => "The pooler does not answer."
        );
        return pooler;
    }

    /// <summary>Gets a connection string that leads through the pooler.</summary>
    public string Lead(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Port = _port }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
