using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.OpenApi;
using PaDiM.Service.Http;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// Documents examples of JSON requests and successful responses, and the schemas of bodies that are parsed manually.
/// </summary>
internal sealed partial class WorkedExamples : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var examples = OperationExamples.Get(operation.OperationId);
        foreach (
            var request in (operation.RequestBody?.Content ?? new Dictionary<string, IOpenApiMediaType>())
                .Where(body => examples.Requests.Count > 0 && body.Key is "application/json" or MergePatch.MediaType)
                .Select(body => body.Value)
                .OfType<OpenApiMediaType>()
        )
        {
            request.Examples = Named(examples.Requests);
            var accepts = context
                .ApiDescription.ActionDescriptor.EndpointMetadata.OfType<IAcceptsMetadata>()
                .Select(metadata => metadata.RequestType)
                .FirstOrDefault(type => type is not null && type != typeof(JsonElement));
            if (
                accepts is not null
                && context.ApiDescription.ParameterDescriptions.Any(parameter => parameter.Type == typeof(JsonElement))
            )
                request.Schema = context.SchemaGenerator.GenerateSchema(accepts, context.SchemaRepository);
        }
        foreach (var (status, bodies) in examples.Responses)
        foreach (
            var (mediaType, answer) in operation.Responses?.GetValueOrDefault(status)?.Content
                ?? new Dictionary<string, IOpenApiMediaType>()
        )
            if (answer is OpenApiMediaType described)
                described.Examples = Named(Readable(mediaType) ? bodies : Binary(mediaType));
    }

    /// <summary>Names examples with keys that tools can convert to identifiers.</summary>
    public static Dictionary<string, IOpenApiExample> Named(IEnumerable<KeyValuePair<string, JsonNode>> bodies) =>
        bodies.ToDictionary(
            body => NotInKeys().Replace(body.Key, "-").ToLowerInvariant(),
            IOpenApiExample (body) => new OpenApiExample { Summary = body.Key, Value = body.Value.DeepClone() }
        );

    private static bool Readable(string mediaType) =>
        mediaType == "application/json" || mediaType.StartsWith("text/", StringComparison.Ordinal);

    private static Dictionary<string, JsonNode> Binary(string mediaType) =>
        new() { ["The bytes"] = $"(the bytes of a file of type {mediaType})" };

    [GeneratedRegex("[^A-Za-z0-9_]+")]
    private static partial Regex NotInKeys();
}
