using Microsoft.OpenApi;
using PaDiM.Service.Access;
using PaDiM.Service.Http;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Documents the required scope of each operation, and adds the Authorize button to Swagger UI.</summary>
internal sealed class AccessDocumentation : IOperationFilter
{
    private const string Key = "key",
        Header = "header",
        ExampleId = "3f2a9c01d4e5";

    public static void Define(SwaggerGenOptions options)
    {
        options.AddSecurityDefinition(
            Key,
            new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description =
                    "A key (`padim_...`) or a token of the identity provider. Not needed while access is "
                    + "open, see `keyRequired` in GetSystem.",
            }
        );
        options.AddSecurityDefinition(
            Header,
            new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = "X-Api-Key",
                Description = "A key (`padim_...`), for clients that cannot set Authorization.",
            }
        );
    }

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (FindNeeded(context) is not { } needed)
            return;
        operation.Security =
        [
            .. new[] { Key, Header }.Select(scheme => new OpenApiSecurityRequirement
            {
                [new OpenApiSecuritySchemeReference(scheme, context.Document)] = [],
            }),
        ];
        var scope = needed.Scope.ToString().ToLowerInvariant();
        var rule = needed.EveryCategory
            ? $"Requires the scope `{scope}` and a key that is not restricted to categories."
            : $"Requires the scope `{scope}`.";
        operation.Description = $"{operation.Description} {rule}".TrimStart();
    }

    /// <summary>Gets the access problems of an operation.</summary>
    public static IEnumerable<Problem> GetProblems(OperationFilterContext context) =>
        FindNeeded(context) is not { } needed
            ? []
            :
            [
                Problems.Unauthenticated(),
                Problems.UnknownKey(),
                Problems.KeyExpired(ExampleId),
                Problems.KeyRevoked(ExampleId),
                Problems.SessionExpired(),
                Problems.TokenInvalid(),
                Problems.TokenExpired(),
                Problems.Forbidden(needed.Scope),
                .. context.ApiDescription.RelativePath?.Contains("{category}", StringComparison.Ordinal) is true
                    ? [Problems.CategoryForbidden("bottle")]
                    : Array.Empty<Problem>(),
                Problems.RateLimited(1),
                Problems.IssuerUnavailable(),
            ];

    private static NeededAccess? FindNeeded(OperationFilterContext context) =>
        context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<NeededAccess>().LastOrDefault();
}
