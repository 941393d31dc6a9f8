using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using PaDiM.Service.Data;

namespace PaDiM.Service.Hosting;

/// <summary>
/// Asks the database. While it does not answer, models in memory still score, so the balancer must not take every replica
/// away at once.
/// </summary>
internal sealed class DatabaseCheck(IDbContextFactory<PadimDbContext> contexts, Fallback fallback) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            await AskAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return fallback.Without("The database does not respond", e);
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Categories.AnyAsync(cancellationToken);
    }
}
