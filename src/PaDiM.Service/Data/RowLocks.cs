using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace PaDiM.Service.Data;

/// <summary>
/// Locks rows within a transaction. SQLite does not need it: its writing transactions are exclusive from their first
/// statement. On PostgreSQL, an interceptor adds <c>FOR UPDATE</c> to queries with a tag, because LINQ has no word for
/// it. Transactions that lock several rows take the category first, then its job or images, so that none waits in a
/// circle.
/// </summary>
internal static class RowLocks
{
    private const string Tag = "FOR UPDATE";

    /// <summary>Adds the locks to tagged queries; for PostgreSQL.</summary>
    public static IInterceptor Interceptor { get; } = new Appender();

    /// <summary>Keeps other transactions from changing the rows of a query until the current one ends.</summary>
    public static IQueryable<T> ForUpdate<T>(this IQueryable<T> rows) => rows.TagWith(Tag);

    /// <summary>
    /// Keeps other transactions from changing a category, adding to it or deleting it until the current one ends.
    /// Returns whether the category exists.
    /// </summary>
    public static async Task<bool> LockCategoryAsync(
        this PadimDbContext db,
        string name,
        CancellationToken cancellationToken
    ) =>
        (
            await db
                .Categories.Where(category => category.Name == name)
                .ForUpdate()
                .Select(category => category.Name)
                .ToListAsync(cancellationToken)
        ).Count > 0;

    private sealed class Appender : DbCommandInterceptor
    {
        public override InterceptionResult<DbDataReader> ReaderExecuting(
            DbCommand command,
            CommandEventData eventData,
            InterceptionResult<DbDataReader> result
        )
        {
            Append(command);
            return result;
        }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command,
            CommandEventData eventData,
            InterceptionResult<DbDataReader> result,
            CancellationToken cancellationToken = default
        )
        {
            Append(command);
            return new ValueTask<InterceptionResult<DbDataReader>>(result);
        }

        private static void Append(DbCommand command)
        {
            if (command.CommandText.StartsWith($"-- {Tag}", StringComparison.Ordinal))
                command.CommandText += $"\n{Tag}";
        }
    }
}
