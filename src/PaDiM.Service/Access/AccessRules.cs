using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>The access that a route requires.</summary>
/// <param name="Scope">The lowest scope that may use the route.</param>
/// <param name="EveryCategory">Whether the route concerns the whole service, so that callers restricted to categories
/// may not use it.</param>
internal sealed record NeededAccess(AccessScope Scope, bool EveryCategory)
{
    /// <summary>Gets the requirement of a route that declares none. A forgotten declaration denies access.</summary>
    public static NeededAccess Unstated { get; } = new(AccessScope.Admin, EveryCategory: true);
}

/// <summary>
/// The only authorization rule: checks the scope that the route requires and the category that the URL names.
/// </summary>
internal sealed class AccessRules : AuthorizationHandler<AccessRules.Requirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, Requirement requirement)
    {
        if (context.Resource is not HttpContext http || http.GetEndpoint() is not RouteEndpoint route)
            context.Succeed(requirement);
        else if (context.User.Identity is Caller caller)
        {
            if (
                FindProblem(caller, route.Metadata.GetMetadata<NeededAccess>() ?? NeededAccess.Unstated, http) is
                { } problem
            )
                context.Fail(new Refusal(this, problem));
            else
                context.Succeed(requirement);
        }
        return Task.CompletedTask;
    }

    private static Problem? FindProblem(Caller caller, NeededAccess needed, HttpContext http) =>
        !caller.MayDo(needed.Scope) ? Problems.Forbidden(needed.Scope)
        : needed.EveryCategory && caller.Categories is not null ? Problems.ForbiddenToRestricted()
        : (http.GetRouteValue("category") as string ?? http.Request.Query["category"]) is { Length: > 0 } category
        && CategoryName.IsValid(category)
        && !caller.MaySee(category)
            ? Problems.CategoryForbidden(category)
        : null;

    public sealed class Requirement : IAuthorizationRequirement;

    public sealed class Refusal(IAuthorizationHandler handler, Problem problem)
        : AuthorizationFailureReason(handler, problem.Detail)
    {
        public Problem Problem => problem;
    }
}

/// <summary>Writes refused requests as problem documents.</summary>
internal sealed class AccessResultHandler(RateLimits limits) : IAuthorizationMiddlewareResultHandler
{
    public Task HandleAsync(
        RequestDelegate next,
        HttpContext context,
        AuthorizationPolicy policy,
        PolicyAuthorizationResult authorizeResult
    )
    {
        if (authorizeResult.Succeeded)
            return next(context);
        if (authorizeResult.Forbidden)
            return authorizeResult
                .AuthorizationFailure!.FailureReasons.OfType<AccessRules.Refusal>()
                .First()
                .Problem.ExecuteAsync(context);
        var refused = context.Features.Get<RefusedCredential>();
        var problem = refused?.Problem ?? Problems.Unauthenticated();
        if (problem.Status != StatusCodes.Status401Unauthorized)
            return problem.ExecuteAsync(context);
        return limits.Challenge(context, problem, isRefused: refused is not null).ExecuteAsync(context);
    }
}

/// <summary>How requests to a route of a foreign protocol prove who they come from, beside keys and tokens.</summary>
/// <param name="Name">Name of the authentication scheme.</param>
/// <param name="Applies">Whether a request uses it.</param>
internal sealed record ProtocolScheme(string Name, Func<HttpRequest, bool> Applies);

/// <summary>Extension methods that declare who may use a route.</summary>
internal static class AccessConventions
{
    /// <summary>Requires a scope. On a route, this replaces the requirement of its group.</summary>
    public static T Needs<T>(this T routes, AccessScope scope, bool everyCategory = false)
        where T : IEndpointConventionBuilder => routes.WithMetadata(new NeededAccess(scope, everyCategory));

    /// <summary>Accepts the credentials of a foreign protocol, beside keys and tokens.</summary>
    public static T WithScheme<T>(this T routes, string name, Func<HttpRequest, bool> applies)
        where T : IEndpointConventionBuilder => routes.WithMetadata(new ProtocolScheme(name, applies));

    /// <summary>Lets everyone use a route, which learns who its caller is if they say so.</summary>
    public static T NeedsNobody<T>(this T routes)
        where T : IEndpointConventionBuilder =>
        routes.RequireAuthorization(policy => policy.RequireAssertion(_ => true));
}
