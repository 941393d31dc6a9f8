using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Background;
using PaDiM.Service.Data;

namespace PaDiM.Service.Access;

/// <summary>
/// Forgets entries of the audit trail whose time is over: after the start, and then once a day. They are kept for days,
/// and none is missed for being there an hour more.
/// </summary>
internal sealed partial class AuditPurge(
    IDbContextFactory<PadimDbContext> contexts,
    IOptions<AccessOptions> options,
    TimeProvider time,
    ILogger<AuditPurge> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    /// <summary>Purges once and gives the number of entries removed.</summary>
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

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Count} entries of the audit trail were older than {Days} days and were removed"
    )]
    private partial void LogPurged(int count, int days);

    [LoggerMessage(Level = LogLevel.Error, Message = "Old entries of the audit trail could not be removed")]
    private partial void LogFailure(Exception exception);
}
