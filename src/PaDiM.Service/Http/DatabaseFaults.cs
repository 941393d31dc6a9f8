using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace PaDiM.Service.Http;

/// <summary>
/// Tells the faults of the databases apart, whatever EF wraps around them. Only those are distinguished that another
/// answer follows from.
/// </summary>
internal static class DatabaseFaults
{
    private const int SqliteFull = 13,
        SqliteBusy = 5,
        SqliteLocked = 6,
        SqliteIoError = 10;

    /// <summary>Gets whether the database has no more room.</summary>
    public static bool IsFull(Exception exception) =>
        Find(exception) switch
        {
            SqliteException { SqliteErrorCode: SqliteFull } => true,
            PostgresException { SqlState: PostgresErrorCodes.DiskFull } => true,
            _ => false,
        };

    /// <summary>
    /// Gets whether the server does not answer, has no free connection, has become a standby, or ended a transaction in
    /// favour of another: the same request may succeed in a moment.
    /// </summary>
    /// <remarks>
    /// What is not the server's own word is about the way to it. Npgsql does not call all of that transient: not that none
    /// of several hosts is there.
    /// </remarks>
    public static bool IsAway(Exception exception) =>
        Find(exception) switch
        {
            PostgresException e => e.IsTransient || e.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction,
            NpgsqlException => true,
            _ => false,
        };

    /// <summary>Gets whether a database file cannot be written just now: it is locked, or its disk fails.</summary>
    public static bool IsBusy(Exception exception) =>
        Find(exception) is SqliteException { SqliteErrorCode: SqliteBusy or SqliteLocked or SqliteIoError };

    /// <summary>
    /// Gets whether a text has the character 0, which PostgreSQL cannot keep. Names that the service checks never have.
    /// </summary>
    public static bool HasZero(Exception exception) =>
        Find(exception)
            is PostgresException
            {
                SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter,
            };

    /// <summary>Describes a failure for the person who runs the service.</summary>
    public static string GetReason(Exception exception) =>
        Find(exception) switch
        {
            NpgsqlException { InnerException: { } inner } e when e is not PostgresException =>
                $"{e.Message}: {inner.Message}",
            { } found => found.Message,
            null => exception.Message,
        };

    private static DbException? Find(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            if (exception is DbException found)
                return found;
        return null;
    }
}
