using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// Documents files: forms with file pickers in Swagger UI, and binary content for responses that are neither JSON nor
/// text.
/// </summary>
internal sealed class BinaryBodies : IOperationFilter
{
    private const string Form = "multipart/form-data";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (
            operation.RequestBody?.Content is { } bodies
            && bodies.TryGetValue(Form, out var body)
            && body is OpenApiMediaType form
        )
        {
            // No encoding: with one, Swagger UI sends an empty field as a file.
            form.Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Properties = GetFields(operation.OperationId),
                Required = new HashSet<string> { "files" },
            };
        }
        foreach (
            var (mediaType, content) in operation.RequestBody?.Content ?? new Dictionary<string, IOpenApiMediaType>()
        )
            if (content is OpenApiMediaType raw && mediaType.StartsWith("image/", StringComparison.Ordinal))
                raw.Schema = File(null);
        foreach (
            var (mediaType, content) in (operation.Responses ?? []).Values.SelectMany(response =>
                response.Content ?? new Dictionary<string, IOpenApiMediaType>()
            )
        )
            if (
                content is OpenApiMediaType answer
                && !mediaType.Contains("json", StringComparison.Ordinal)
                && !mediaType.StartsWith("text/", StringComparison.Ordinal)
            )
                answer.Schema = File(null);
    }

    private static Dictionary<string, IOpenApiSchema> GetFields(string? operationId) =>
        operationId switch
        {
            "ScoreImage" => new() { ["files"] = File("The image.") },
            "ImportModel" => new() { ["files"] = File("The model.") },
            "PutIgnoreMask" => new() { ["files"] = File("The mask; white pixels are ignored.") },
            "UploadImages" => new()
            {
                ["files"] = Files("The images: PNG, JPEG, BMP, TIFF or WebP."),
                ["masks"] = Files(
                    "Masks of anomalous images, white on the defect. A mask is named NAME.png or "
                        + "NAME_mask.png for the image NAME.",
                    byDefault: []
                ),
            },
            _ => new() { ["files"] = Files("The images: PNG, JPEG, BMP, TIFF or WebP.") },
        };

    private static OpenApiSchema File(string? description) =>
        new()
        {
            Type = JsonSchemaType.String,
            Format = "binary",
            Description = description,
        };

    /// <summary>
    /// Without a default, Swagger UI starts with one row and sends its placeholder if no file is picked.
    /// </summary>
    private static OpenApiSchema Files(string description, JsonArray? byDefault = null) =>
        new()
        {
            Type = JsonSchemaType.Array,
            Items = File(null),
            Description = description,
            Default = byDefault,
        };
}
