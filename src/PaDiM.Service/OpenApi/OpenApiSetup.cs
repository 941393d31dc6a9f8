using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenApi;

/// <summary>The OpenAPI document at <c>/swagger/v1/swagger.json</c> and Swagger UI at <c>/swagger</c>.</summary>
internal static class OpenApiSetup
{
    private const string Introduction = """
        Visual inspection with PaDiM: learn what good parts look like, then score images of parts.

        1. `PUT /v1/categories/{category}` creates a category: one per kind of part.
        2. `POST /v1/categories/{category}/images` uploads images of good parts, a few dozen or more.
        3. `POST /v1/categories/{category}/fits` fits a model in the background; follow it with `GET /v1/jobs/{id}`.
        4. `POST /v1/categories/{category}/score` scores an image: normal or anomalous, and where.

        **Errors** are RFC 9457 problems with a stable `code`; each operation lists its own.
        Unknown URLs return `route_not_found`, unsupported methods `method_not_allowed`. Addresses of other protocols are not
        listed here; of a signature that does not hold they say `signature_invalid`.

        **Times** are UTC.

        **Lists** are paged: pass `nextCursor` as `cursor` to get the next page.

        **Every response** has an `X-Request-Id`: that of the request, or else the trace identifier.
        Problems also return the trace identifier as `traceId`. Both find the request in the log.

        **Access**: once there is an API key or an identity provider, all operations except health need credentials.
        Click Authorize to enter a key or a token. `keyRequired` of `GET /v1/system` says whether one is needed.
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
            // HEAD is part of every GET.
            options.DocInclusionPredicate((_, action) => action.HttpMethod != HttpMethods.Head);
            options.OrderActionsBy(action => action.RelativePath);
            options.SchemaFilter<RequiredMembers>();
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
            options.MapType<QueryNumber>(() => new OpenApiSchema { Type = JsonSchemaType.Number, Format = "double" });
            options.DocumentFilter<OrderedTags>();
        });
    }

    public static void UseOpenApi(this WebApplication app)
    {
        // Both answer GET only; the server leaves out the body.
        app.UseWhen(
            context =>
                HttpMethods.IsHead(context.Request.Method) && context.Request.Path.StartsWithSegments("/swagger"),
            branch =>
                branch.Use(
                    (context, next) =>
                    {
                        context.Request.Method = HttpMethods.Get;
                        return next(context);
                    }
                )
        );
        app.UseSwagger();
        app.UseSwaggerUI(options =>
        {
            // Relative to the page, so that it is found behind a prefix.
            options.SwaggerEndpoint("v1/swagger.json", "PaDiM.Service v1");
            options.DocumentTitle = "PaDiM.Service";
            options.DisplayOperationId();
            options.DisplayRequestDuration();
            options.EnableTryItOutByDefault();
            options.EnableDeepLinking();
        });
    }
}
