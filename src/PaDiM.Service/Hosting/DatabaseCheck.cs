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
    private readonly Lock _gate = new();
    private Task? _asking;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            await StartAsking().WaitAsync(HealthEndpoints.Patience, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return fallback.Without("The database does not respond", e);
        }
    }

    /// <summary>One question for all who ask: a database that hangs must not get a connection from each.</summary>
    private Task StartAsking()
    {
        lock (_gate)
            return _asking is { IsCompleted: false } running ? running : _asking = AskAsync();
    }

    private async Task AskAsync()
    {
        await using var db = await contexts.CreateQuickAsync(CancellationToken.None);
        await db.Categories.AnyAsync();
    }
}
