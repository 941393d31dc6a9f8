using Npgsql;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials.Cluster;

/// <summary>
/// PostgreSQL on two machines: a primary, and a standby that follows it by streaming. A commit waits for the standby, so
/// that a failover loses none.
/// </summary>
internal sealed class PostgresPair : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly Network _network;
    private readonly (string Primary, string Standby) _machines;

    private string _primary;

    private PostgresPair(Network network, string primary, string standby) =>
        (_network, _machines, _primary) = (network, (primary, standby), primary);

    /// <summary>Gets the connection string, with both servers.</summary>
    public string ConnectionString =>
        $"Host={_network.GetAddress(_machines.Primary)},{_network.GetAddress(_machines.Standby)};"
        + "Target Session Attributes=primary;Database=padim;Username=padim;Password=unused";

    /// <summary>Starts both.</summary>
    public static async Task<PostgresPair> StartAsync(Network network, string primary, string standby)
    {
        var pair = new PostgresPair(network, primary, standby);
        await Network.RunAsync("chown", "postgres", pair._folder.Path);
        await pair.RunAsync(primary, "initdb", "-U", "padim", "-A", "trust", "-E", "UTF8", "--no-sync", "-D");
        var data = pair.GetData(primary);
        await File.AppendAllTextAsync(
            Path.Combine(data, "postgresql.conf"),
            """
            listen_addresses = '*'
            unix_socket_directories = ''
            max_connections = 200
            fsync = off
            shared_preload_libraries = 'pg_stat_statements'

            """
        );
        await File.AppendAllTextAsync(
            Path.Combine(data, "pg_hba.conf"),
            "host all all 0.0.0.0/0 trust\nhost replication all 0.0.0.0/0 trust\n"
        );
        await pair.ControlAsync(primary, "start");
        await pair.ExecuteAsync("postgres", "CREATE DATABASE padim");
        await pair.ExecuteAsync("padim", "CREATE EXTENSION pg_stat_statements");
        await pair.RunAsync(
            standby,
            "pg_basebackup",
            "-d",
            $"host={network.GetAddress(primary)} user=padim application_name=standby",
            "-R",
            "-c",
            "fast",
            "-D"
        );
        await pair.ControlAsync(standby, "start");
        await pair.ExecuteAsync("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        await pair.ExecuteAsync("postgres", "SELECT pg_reload_conf()");
        return pair;
    }

    /// <summary>Restarts the primary, as for a new setting.</summary>
    public Task RestartAsync() => ControlAsync(_machines.Primary, "restart");

    /// <summary>Makes the standby the primary; the other one must be out of reach.</summary>
    public async Task PromoteAsync()
    {
        await ControlAsync(_machines.Standby, "promote");
        _primary = _machines.Standby;
    }

    /// <summary>Asks for a number.</summary>
    public async Task<long> CountAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(GetPrimary("padim") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync(), null);
    }

    public void Dispose() => _folder.Dispose();

    private Task ExecuteAsync(string database, string sql) => PostgresServer.ExecuteAsync(GetPrimary(database), sql);

    private string GetPrimary(string database) =>
        $"Host={_network.GetAddress(_primary)};Database={database};Username=padim";

    private Task<string> ControlAsync(string machine, string verb) =>
        RunAsync(machine, "pg_ctl", verb, "-w", "-m", "fast", "-l", Path.Combine(_folder.Path, $"{machine}.log"), "-D");

    private Task<string> RunAsync(string machine, string program, params string[] arguments) =>
        Network.RunAsync([
            .. _network.Enter(machine),
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            Path.Combine(PostgresServer.Binaries!, program),
            .. arguments,
            GetData(machine),
        ]);

    private string GetData(string machine) => _folder.Combine(machine);
}
