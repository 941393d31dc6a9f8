using Microsoft.OpenApi;

namespace PaDiM.Service.Hosting;

/// <summary>The OpenAPI document at <c>/swagger/v1/swagger.json</c> and Swagger UI at <c>/swagger</c>.</summary>
internal static class OpenApi
{
    public static void AddOpenApi(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc("v1", new OpenApiInfo
            {
                Title = "PaDiM.Service",
                Version = "v1",
                Description = "Visual inspection: upload images of good parts, fit a PaDiM model, score images. Errors are RFC 9457 problems with a stable `code`.",
            });
            foreach (var documentation in Directory.EnumerateFiles(AppContext.BaseDirectory, "PaDiM.*.xml")) options.IncludeXmlComments(documentation);
            options.SupportNonNullableReferenceTypes();
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
        });
        app.MapGet("/", () => Results.Redirect("/swagger")).ExcludeFromDescription();
    }
}
