using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Background;
using PaDiM.Service.Data;

namespace PaDiM.Service.Access;

/// <summary>
/// Deletes expired entries of the audit trail after start-up and then once a day. Entries are kept for days, so an hour
/// more does not matter.
/// </summary>
internal sealed partial class AuditPurge(
    IDbContextFactory<PadimDbContext> contexts,
    IOptions<AccessOptions> options,
    TimeProvider time,
    ILogger<AuditPurge> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    /// <summary>Purges once and returns the number of deleted entries.</summary>
    public async Task<int> PurgeAsync(CancellationToken cancellationToken)
    {
        var forgotten = time.GetUtcNow().UtcDateTime.AddDays(-options.Value.AuditDays);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.AuditEntries.Where(entry => entry.At < forgotten).ExecuteDeleteAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Periodically.RunAsync(
            Interval,
            time,
            async cancellationToken =>
            {
                if (await PurgeAsync(cancellationToken) is var removed and > 0)
                    LogPurged(removed, options.Value.AuditDays);
            },
            LogFailure,
            stoppingToken
        );

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Count} audit entries older than {Days} days")]
    private partial void LogPurged(int count, int days);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not delete old audit entries")]
    private partial void LogFailure(Exception exception);
}
