using Microsoft.EntityFrameworkCore;

namespace PaDiM.Service.Data;

/// <summary>Contexts for statements that take milliseconds, and that others wait for.</summary>
internal static class QuickContexts
{
    /// <summary>
    /// After this, a server that has not answered is one that vanished. Npgsql then closes all connections to it, so that
    /// the next statement finds its standby; with its 30 seconds, replicas knew of no change for as long.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Creates a context for quick statements. SQLite waits for other writers as long as ever.</summary>
    public static async Task<PadimDbContext> CreateQuickAsync(
        this IDbContextFactory<PadimDbContext> contexts,
        CancellationToken cancellationToken
    )
    {
        var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (db is PostgresDbContext)
            db.Database.SetCommandTimeout(Limit);
        return db;
    }
}
