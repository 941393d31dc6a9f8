using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// Files as files: forms with fields that Swagger UI shows as file pickers, and bytes where an answer is neither JSON
/// nor text.
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
            // No encoding: with one, Swagger UI makes a file of a field that was left alone.
            form.Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Properties = FieldsOf(operation.OperationId),
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

    private static Dictionary<string, IOpenApiSchema> FieldsOf(string? operationId) =>
        operationId switch
        {
            "ScoreImage" => new() { ["files"] = File("The image.") },
            "PutIgnoreMask" => new() { ["files"] = File("The mask, white where a pixel does not count.") },
            "UploadImages" => new()
            {
                ["files"] = Files("The images: PNG, JPEG, BMP, TIFF or WebP."),
                ["masks"] = Files(
                    "Masks of anomalous images, white where the defect is; NAME.png or NAME_mask.png belongs to the image NAME.",
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
    /// Without a default, Swagger UI begins with a row, and sends its placeholder for a file when nothing is picked.
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
