using Microsoft.OpenApi;
using PaDiM.Service.Http;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Adds the deadline header to the operations that support deadlines.</summary>
internal sealed class DeadlineHeader : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (!Deadlines.AreEnabled([.. context.ApiDescription.ActionDescriptor.EndpointMetadata]))
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
