using System.ComponentModel.DataAnnotations;
using Npgsql;

namespace PaDiM.Service.Data;

/// <summary>Where the metadata is kept.</summary>
internal sealed class DatabaseOptions
{
    /// <summary>The engine.</summary>
    public DatabaseProvider Provider { get; set; }

    /// <summary>
    /// The database of PostgreSQL, in Npgsql's format; not used with SQLite, whose file is in the data directory.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>
    /// Where to listen for the changes of other replicas, if <see cref="ConnectionString"/> leads to a pooler, which does
    /// not deliver them. Null for the same.
    /// </summary>
    public string? ListenConnectionString { get; set; }

    /// <summary>Connections of this process to PostgreSQL at a time; further requests wait for one.</summary>
    [Range(2, 1000)]
    public int MaxConnections { get; set; } = 20;

    /// <summary>
    /// Gets what is wrong with the settings. The texts name no part of a connection string, which may be a password in
    /// the wrong place.
    /// </summary>
    public IEnumerable<string> Validate()
    {
        if (Provider == DatabaseProvider.Sqlite)
        {
            if (!string.IsNullOrEmpty(ConnectionString))
                yield return "Database:ConnectionString is for PostgreSQL; set Database:Provider to postgresql as well.";
            yield break;
        }
        if (string.IsNullOrEmpty(ConnectionString))
            yield return "Database:ConnectionString is required with PostgreSQL.";
        else if (!IsValid(ConnectionString))
            yield return Explain(nameof(ConnectionString));
        if (ListenConnectionString is not null && !IsValid(ListenConnectionString))
            yield return Explain(nameof(ListenConnectionString));
        if (MaxConnections is < 2 or > 1000)
            yield return "Database:MaxConnections must lie between 2 and 1000.";
    }

    private static string Explain(string name) =>
        $"Database:{name} must have Npgsql's format and name a host and a database, such as "
        + "Host=db.example;Database=padim;Username=padim;Password=... (not a postgresql:// URL).";

    private static bool IsValid(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString) is { Host.Length: > 0, Database.Length: > 0 };
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            return false;
        }
    }
}

/// <summary>A database engine.</summary>
internal enum DatabaseProvider
{
    /// <summary>A file in the data directory, for the processes of one machine.</summary>
    Sqlite,

    /// <summary>A server, for replicas on several machines.</summary>
    PostgreSql,
}
