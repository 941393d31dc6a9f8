using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenApi;

/// <summary>The OpenAPI document at <c>/swagger/v1/swagger.json</c> and Swagger UI at <c>/swagger</c>.</summary>
internal static class OpenApiSetup
{
    private const string Introduction = """
        Visual inspection with PaDiM: learn what good parts look like, then score images of parts.

        1. `PUT /v1/categories/{category}` creates a category, one for each kind of part.
        2. `POST /v1/categories/{category}/images` uploads images of good parts, a few dozen or more.
        3. `POST /v1/categories/{category}/fits` fits a model in the background; `GET /v1/jobs/{id}` tells when it is done.
        4. `POST /v1/categories/{category}/score` scores an image: normal or anomalous, and where.

        Errors are RFC 9457 problems with a stable `code`; each operation lists its own. An address that does not exist answers with
        `route_not_found`, a method that it does not take with `method_not_allowed`. Times are UTC. Lists come in pages: `nextCursor` is the `cursor` of the next one.
        Every answer has an `X-Request-Id`: that of the request, or else the identifier of its trace, which is also the `traceId` of problems. Both find the request in the log.

        Once there is an API key or an identity provider, all operations but health need a key or a token: press Authorize. `GET /v1/system` tells whether that is so (`keyRequired`).
        """;

    public static void AddOpenApi(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc(
                "v1",
                new OpenApiInfo
                {
                    Title = "PaDiM.Service",
                    Version = "v1",
                    Description = Introduction,
                }
            );
            foreach (var documentation in Directory.EnumerateFiles(AppContext.BaseDirectory, "PaDiM.*.xml"))
                options.IncludeXmlComments(documentation);
            options.SupportNonNullableReferenceTypes();
            options.UseAllOfToExtendReferenceSchemas();
            options.OrderActionsBy(action => action.RelativePath);
            options.SchemaFilter<AnswersAreWhole>();
            options.OperationFilter<DeadlineHeader>();
            options.OperationFilter<DescribedParameters>();
            options.OperationFilter<BinaryBodies>();
            options.OperationFilter<WorkedExamples>();
            options.OperationFilter<DocumentedProblems>();
            options.OperationFilter<DocumentedHeaders>();
            options.OperationFilter<AccessDocumentation>();
            AccessDocumentation.Define(options);
            options.MapType<JsonNode>(() => new OpenApiSchema());
            // DescribedParameters puts the enumeration in its place.
            options.MapType(typeof(Choice<>), () => new OpenApiSchema { Type = JsonSchemaType.String });
            options.DocumentFilter<OrderedTags>();
        });
    }

    public static void UseOpenApi(this WebApplication app)
    {
        app.UseSwagger();
        app.UseSwaggerUI(options =>
        {
            options.SwaggerEndpoint("/swagger/v1/swagger.json", "PaDiM.Service v1");
            options.DocumentTitle = "PaDiM.Service";
            options.DisplayOperationId();
            options.DisplayRequestDuration();
            options.EnableTryItOutByDefault();
            options.EnableDeepLinking();
        });
        app.MapGet("/", () => Results.Redirect("/swagger")).AllowAnonymous().ExcludeFromDescription();
    }
}
