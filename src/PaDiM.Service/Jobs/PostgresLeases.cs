using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Leases in PostgreSQL: they end by the clock of the database, whatever the clocks of the replicas say. A claim is one
/// statement that passes over the rows that others are claiming.
/// </summary>
internal sealed class PostgresLeases(IDbContextFactory<PadimDbContext> contexts, IOptions<JobOptions> options)
    : IJobLeases
{
    private TimeSpan Length => TimeSpan.FromSeconds(options.Value.JobLeaseSeconds);

    public async Task<Job?> ClaimAsync(string worker, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        await EndAbandonedAsync(db, cancellationToken);
        for (; ; )
        {
            try
            {
                var claimed = await db
                    .Jobs.FromSql(
                        $"""
                        UPDATE "Jobs"
                        SET "State" = 'Running', "Fence" = "Fence" + 1, "Attempts" = "Attempts" + 1,
                            "StartedAt" = COALESCE("StartedAt", now()), "LeasedBy" = {worker},
                            "LeaseExpiresAt" = now() + {Length}
                        WHERE "Id" = (
                            SELECT job."Id" FROM "Jobs" AS job
                            WHERE job."State" = 'Running' AND job."LeaseExpiresAt" < now()
                                OR job."State" = 'Queued' AND NOT EXISTS (
                                    SELECT FROM "Jobs" AS other
                                    WHERE other."State" = 'Running' AND other."Category" = job."Category")
                            ORDER BY job."Id" LIMIT 1
                            FOR UPDATE OF job SKIP LOCKED)
                        RETURNING *
                        """
                    )
                    .AsNoTracking()
                    .ToListAsync(cancellationToken);
                return claimed.SingleOrDefault();
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                // Another worker has just claimed a job of the same category.
            }
        }
    }

    public async Task<LeaseState> RenewAsync(JobLease lease, JobProgress progress, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        var renewed = await db
            .Database.SqlQuery<bool>(
                $"""
                UPDATE "Jobs"
                SET "LeaseExpiresAt" = now() + {Length}, "Stage" = {progress.Stage}, "Progress" = {progress.Share},
                    "SecondsLeft" = {progress.SecondsLeft}
                WHERE "Id" = {lease.JobId} AND "Fence" = {lease.Fence} AND "State" = 'Running'
                RETURNING "CancelRequested"
                """
            )
            .ToListAsync(cancellationToken);
        return renewed switch
        {
            [] => LeaseState.Lost,
            [true, ..] => LeaseState.CancelRequested,
            _ => LeaseState.Held,
        };
    }

    private static Task<int> EndAbandonedAsync(PadimDbContext db, CancellationToken cancellationToken)
    {
        var fault = IJobLeases.CreateAbandoned(IJobLeases.MaxAttempts);
        return db.Database.ExecuteSqlAsync(
            $"""
            UPDATE "Jobs"
            SET "State" = CASE WHEN "CancelRequested" THEN 'Cancelled' ELSE 'Failed' END, "FinishedAt" = now(),
                "LeaseExpiresAt" = NULL, "SecondsLeft" = NULL,
                "ErrorCode" = CASE WHEN "CancelRequested" THEN NULL ELSE {fault.Code} END,
                "ErrorDetail" = CASE WHEN "CancelRequested" THEN NULL ELSE {fault.Detail} END
            WHERE "State" = 'Running' AND "LeaseExpiresAt" < now()
                AND ("CancelRequested" OR "Attempts" >= {IJobLeases.MaxAttempts})
            """,
            cancellationToken
        );
    }
}
