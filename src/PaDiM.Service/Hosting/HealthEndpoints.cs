using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Inference;
using PaDiM.Service.Backbones;
using PaDiM.Service.Data;
using PaDiM.Service.Models;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Hosting;

/// <summary>
/// <c>/health/live</c>: the process responds. <c>/health/ready</c>: it can do what its role asks for.
/// <c>/health/score</c>: it can score.
/// </summary>
internal static class HealthEndpoints
{
    private const string Ready = "ready",
        Score = "score";

    public static void AddHealth(this IServiceCollection services) =>
        services
            .AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", tags: [Ready])
            .AddCheck<BackboneCheck>("backbone", tags: [Ready])
            .AddCheck<StoppingCheck>("stopping", tags: [Ready])
            .AddCheck<RoleCheck>("role", tags: [Score]);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        Map("live", _ => false, "Checks whether the process responds");
        Map(Ready, check => check.Tags.Contains(Ready), "Checks whether the replica can do what its role asks for")
            .WithDescription("Route everything but scores by it: a replica of any role answers the rest.")
            .Produces<HealthResponse>(StatusCodes.Status503ServiceUnavailable);
        Map(Score, _ => true, "Checks whether the replica can score")
            .WithDescription("Route scores by it. A replica with the role `fit` answers 503.")
            .Produces<HealthResponse>(StatusCodes.Status503ServiceUnavailable);

        RouteHandlerBuilder Map(string name, Func<HealthCheckRegistration, bool> predicate, string summary) =>
            routes
                .MapGet(
                    $"/health/{name}",
                    async (
                        HealthCheckService checks,
                        IOptions<RoleOptions> role,
                        CancellationToken cancellationToken
                    ) =>
                    {
                        var report = await checks.CheckHealthAsync(predicate, cancellationToken);
                        var body = new HealthResponse(
                            report.Status switch
                            {
                                HealthStatus.Healthy => "ok",
                                HealthStatus.Degraded => "degraded",
                                _ => "unavailable",
                            },
                            role.Value.Effective,
                            report.Entries.ToDictionary(
                                entry => entry.Key,
                                entry =>
                                    entry.Value.Status == HealthStatus.Healthy
                                        ? "ok"
                                        : entry.Value.Description ?? "unavailable"
                            )
                        );
                        return TypedResults.Json(
                            body,
                            statusCode: report.Status == HealthStatus.Unhealthy
                                ? StatusCodes.Status503ServiceUnavailable
                                : StatusCodes.Status200OK
                        );
                    }
                )
                .AllowAnonymous()
                .WithTags("Operations")
                .WithName($"Health{char.ToUpperInvariant(name[0])}{name[1..]}")
                .WithSummary(summary)
                .Produces<HealthResponse>();
    }

    private sealed class RoleCheck(IOptions<RoleOptions> role) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                role.Value.Scores
                    ? HealthCheckResult.Healthy()
                    : HealthCheckResult.Unhealthy("The replica runs jobs and does not score.")
            );
    }

    private sealed class StoppingCheck(Drain drain) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                drain.IsUnderWay ? HealthCheckResult.Unhealthy("The service is stopping.") : HealthCheckResult.Healthy()
            );
    }

    /// <summary>
    /// While the database does not answer, models in memory still score, so the balancer must not take every replica away
    /// at once.
    /// </summary>
    private sealed class DatabaseCheck(IDbContextFactory<PadimDbContext> contexts, ModelCache cache) : IHealthCheck
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
            catch (Exception e) when (e is not OperationCanceledException)
            {
                return cache.Count > 0
                    ? HealthCheckResult.Degraded("The database does not respond; models in memory score.", e)
                    : HealthCheckResult.Unhealthy("The database does not respond.", e);
            }
        }

        private async Task AskAsync(CancellationToken cancellationToken)
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken);
            await db.Categories.AnyAsync(cancellationToken);
        }
    }

    private sealed class BackboneCheck(BackboneRegistry backbones, IOptions<BackboneOptions> options) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context,
            CancellationToken cancellationToken = default
        )
        {
            try
            {
                backbones.Open(options.Value.DefaultBackbone);
                return Task.FromResult(HealthCheckResult.Healthy());
            }
            catch (Exception e) when (e is KeyNotFoundException or InvalidDataException)
            {
                return Task.FromResult(HealthCheckResult.Unhealthy(e.Message));
            }
        }
    }
}

/// <summary>The health of the service.</summary>
/// <param name="Status"><c>ok</c>, <c>degraded</c> (it can score, but the database does not respond) or
/// <c>unavailable</c>.</param>
/// <param name="Role">What the replica does beside uploads and metadata: <c>score</c>, <c>fit</c> (it runs jobs) or
/// <c>both</c>.</param>
/// <param name="Checks">Each check: <c>ok</c> or a message.</param>
internal sealed record HealthResponse(string Status, ReplicaRole Role, IReadOnlyDictionary<string, string> Checks);
