using Microsoft.OpenApi;
using PaDiM.Service.Http;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Puts the header of deadlines into the operations that keep them.</summary>
internal sealed class DeadlineHeader : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (!Deadlines.AreKeptBy([.. context.ApiDescription.ActionDescriptor.EndpointMetadata]))
            return;
        operation.Parameters ??= [];
        operation.Parameters.Add(
            new OpenApiParameter
            {
                Name = Deadlines.Header,
                In = ParameterLocation.Header,
                Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
            }
        );
    }
}
