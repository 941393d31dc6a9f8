using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.OpenApi;
using PaDiM.Service.Http;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// Describes parameters with bounds and examples from the embedded file <c>parameters.json</c>, so that a parameter has
/// the same description everywhere.
/// </summary>
internal sealed class DescribedParameters : IOperationFilter
{
    private static readonly Dictionary<string, ParameterDocumentation> Documented = OperationExamples.Read<
        Dictionary<string, ParameterDocumentation>
    >("OpenApi/parameters.json");

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var tag = operation.Tags?.FirstOrDefault()?.Name;
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            var source = context
                .ApiDescription.ParameterDescriptions.FirstOrDefault(described => described.Name == parameter.Name)
                ?.ParameterDescriptor;
            if (
                (source as IParameterInfoParameterDescriptor)?.ParameterInfo is { } info
                && Choices.GetEnumeration(info) is { } choices
            )
                parameter.Schema = context.SchemaGenerator.GenerateSchema(choices, context.SchemaRepository);
            foreach (
                var key in new[]
                {
                    $"{operation.OperationId}.{parameter.Name}",
                    $"{tag}.{parameter.Name}",
                    parameter.Name,
                }
            )
                if (Documented.TryGetValue(key!, out var documentation))
                {
                    documentation.ApplyTo(parameter);
                    break;
                }
        }
    }

    /// <summary>Gets an example value for a path parameter.</summary>
    public static string? Example(string? tag, string name) =>
        (Documented.GetValueOrDefault($"{tag}.{name}") ?? Documented.GetValueOrDefault(name))?.Example?.ToString();

    private sealed record ParameterDocumentation(
        string Description,
        JsonNode? Example,
        JsonNode? Default,
        string? Pattern,
        int? Minimum,
        int? Maximum,
        int? MinLength,
        int? MaxLength
    )
    {
        public void ApplyTo(OpenApiParameter parameter)
        {
            parameter.Description = Description;
            parameter.Example = Example?.DeepClone();
            if (parameter.Schema is OpenApiSchema schema)
                ApplyBounds(schema);
            else if (Default is not null)
                parameter.Schema = new OpenApiSchema { AllOf = [parameter.Schema!], Default = Default.DeepClone() };
        }

        private void ApplyBounds(OpenApiSchema schema)
        {
            schema.Default = Default?.DeepClone() ?? schema.Default;
            schema.Pattern = Pattern;
            schema.Minimum = Minimum is { } minimum ? JsonSerializer.Serialize(minimum) : null;
            schema.Maximum = Maximum is { } maximum ? JsonSerializer.Serialize(maximum) : null;
            schema.MinLength = MinLength;
            schema.MaxLength = MaxLength;
        }
    }
}
