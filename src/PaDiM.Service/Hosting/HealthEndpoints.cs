using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Hosting;

/// <summary>
/// <c>/health/live</c>: the process responds. <c>/health/ready</c>: it can do what its role asks for.
/// <c>/health/score</c>: it can score.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>
    /// How long a check waits for what the replica can do without for a while. Balancers wait two or three seconds for the
    /// answer, and would take away all replicas at once.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static void AddHealth(this IServiceCollection services) =>
        services
            .AddSingleton<Fallback>()
            .AddSingleton<DatabaseCheck>()
            .AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", tags: [HealthTags.Ready])
            .AddCheck<StoreCheck>("store", tags: [HealthTags.Ready])
            .AddCheck<BackboneCheck>("backbone", tags: [HealthTags.Ready])
            .AddCheck<DeviceCheck>("device", tags: [HealthTags.Ready, HealthTags.Job])
            .AddCheck<DiskCheck>("disk", tags: [HealthTags.Ready, HealthTags.Job])
            .AddCheck<StoppingCheck>("stopping", tags: [HealthTags.Ready])
            .AddCheck<RoleCheck>("role", tags: [HealthTags.Score]);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        Map("live", _ => false, "Checks whether the process responds");
        Map(
                HealthTags.Ready,
                check => check.Tags.Contains(HealthTags.Ready),
                "Checks whether the replica can do what its role asks for"
            )
            .WithDescription("Route everything but scores by it: a replica of any role answers the rest.")
            .Produces<HealthResponse>(StatusCodes.Status503ServiceUnavailable);
        Map(HealthTags.Score, _ => true, "Checks whether the replica can score")
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
                            GetName(report.Status),
                            role.Value.Effective,
                            report.Entries.ToDictionary(entry => entry.Key, entry => Describe(entry.Value))
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

    private static string Describe(HealthReportEntry check) =>
        check.Description is { } text ? $"{GetName(check.Status)}: {text}" : GetName(check.Status);

    private static string GetName(HealthStatus status) =>
        status switch
        {
            HealthStatus.Healthy => "ok",
            HealthStatus.Degraded => "degraded",
            _ => "unavailable",
        };
}

/// <summary>The health of the service.</summary>
/// <param name="Status"><c>ok</c>, <c>degraded</c> (it scores, but the database, the object store or the receiver of a
/// sink does not respond) or <c>unavailable</c>.</param>
/// <param name="Role">What the replica does beside uploads and metadata: <c>score</c>, <c>fit</c> (it runs jobs) or
/// <c>both</c>.</param>
/// <param name="Checks">Each check: <c>ok</c>, <c>degraded</c> or <c>unavailable</c>, then a colon and why.</param>
internal sealed record HealthResponse(string Status, ReplicaRole Role, IReadOnlyDictionary<string, string> Checks);
