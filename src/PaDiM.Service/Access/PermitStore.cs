using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Access;

/// <summary>
/// The permits of all replicas, in a table of PostgreSQL: one token bucket per caller, which refills by the clock of the
/// database.
/// </summary>
internal sealed class PermitStore(IDbContextFactory<PadimDbContext> contexts)
{
    /// <summary>Takes permits for several callers, in one statement.</summary>
    /// <param name="perMinute">The permits of a full bucket, and those that it gets per minute.</param>
    /// <param name="wanted">How many each caller would like.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>How many each caller got, and how many are left.</returns>
    public async Task<IReadOnlyDictionary<string, PermitGrant>> DrawAsync(
        int perMinute,
        IReadOnlyDictionary<string, int> wanted,
        CancellationToken cancellationToken
    )
    {
        // A new row has the limit less what is wanted, and so tells the update how much that is. Rows come in one order, so that replicas that take several rows do not wait in a circle.
        var callers = wanted.Keys.ToDictionary(GetKey, StringComparer.Ordinal);
        var keys = callers.Keys.Order(StringComparer.Ordinal).ToArray();
        var counts = keys.Select(key => (double)wanted[callers[key]]).ToArray();
        var rate = perMinute / 60.0;
        var limit = (double)perMinute;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db
            .Database.SqlQuery<Row>(
                $"""
                INSERT INTO "RequestBuckets" AS bucket ("Caller", "Level", "At", "Granted")
                SELECT wish.caller, {limit} - LEAST(wish.count, {limit}), now(), LEAST(wish.count, {limit})
                FROM unnest({keys}, {counts}) AS wish (caller, count) ORDER BY wish.caller
                ON CONFLICT ("Caller") DO UPDATE SET
                    "Granted" = LEAST({limit} - EXCLUDED."Level", floor(LEAST({limit},
                        bucket."Level" + {rate} * GREATEST(0, extract(epoch FROM now() - bucket."At"))))),
                    "Level" = LEAST({limit},
                            bucket."Level" + {rate} * GREATEST(0, extract(epoch FROM now() - bucket."At")))
                        - LEAST({limit} - EXCLUDED."Level", floor(LEAST({limit},
                            bucket."Level" + {rate} * GREATEST(0, extract(epoch FROM now() - bucket."At"))))),
                    "At" = GREATEST(bucket."At", now())
                RETURNING "Caller", "Granted", "Level"
                """
            )
            .ToListAsync(cancellationToken);
        return rows.ToDictionary(
            row => callers[row.Caller],
            row => new PermitGrant((int)row.Granted, row.Level),
            StringComparer.Ordinal
        );
    }

    /// <summary>Removes the buckets that have long been full again.</summary>
    public async Task PurgeAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync(
            $"""DELETE FROM "RequestBuckets" WHERE "At" < now() - interval '10 minutes'""",
            cancellationToken
        );
    }

    /// <summary>The table needs no names, which may be of any length and hold characters that PostgreSQL refuses.</summary>
    private static string GetKey(string caller) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(caller)));

    private sealed record Row(string Caller, double Granted, double Level);
}

/// <summary>What a caller got.</summary>
/// <param name="Permits">The permits that were taken.</param>
/// <param name="Left">The permits that are left for all replicas.</param>
internal readonly record struct PermitGrant(int Permits, double Left);
