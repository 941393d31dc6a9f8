using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using PaDiM.Service.Thresholds;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// Marks members as required or optional. Records with init properties are requests: every member is optional and has a
/// default. Positional records are responses: every member is present, null without a value, and more may be added.
/// Only a problem omits members without a value.
/// </summary>
internal sealed class RequiredMembers : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema { Properties: { Count: > 0 } properties } described)
            return;
        if (context.Type.GetConstructor(Type.EmptyTypes) is null)
        {
            described.Required = properties
                .Keys.Where(name => context.Type != typeof(ProblemResponse) || name != "errors")
                .ToHashSet(StringComparer.Ordinal);
            described.AdditionalPropertiesAllowed = true;
            return;
        }
        described.Required = null;
        if (context.Type == typeof(ThresholdRequest))
        {
            described.MinProperties = 1;
            described.MaxProperties = 2;
        }
        foreach (
            var (name, value) in JsonSerializer
                .SerializeToNode(Activator.CreateInstance(context.Type), context.Type, JsonSerializerOptions.Web)!
                .AsObject()
        )
            if (value is JsonValue && properties[name] is OpenApiSchema property)
                property.Default = value.DeepClone();
    }
}
