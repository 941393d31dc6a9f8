using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Roles;

/// <summary>What this replica does: it scores, runs jobs, or both.</summary>
internal static class RolesFeature
{
    public static IServiceCollection AddRoles(this IServiceCollection services) =>
        services.AddPadimOptions<RoleOptions>();

    /// <summary>Refuses requests that only replicas answer that score, before their body is read.</summary>
    public static TBuilder OnlyWhereScored<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(
            async (context, next) =>
                context.HttpContext.RequestServices.GetRequiredService<IOptions<RoleOptions>>().Value.Scores
                    ? await next(context)
                    : Problems.ReplicaDoesNotScore()
        );
}
