using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.Hosting.OpenApi;

/// <summary>Files as files: forms with fields that Swagger UI shows as file pickers, and bytes where an answer is neither JSON nor text.</summary>
internal sealed class BinaryBodies : IOperationFilter
{
    private const string Form = "multipart/form-data", Images = "image/png, image/jpeg, image/bmp, image/tiff, image/webp";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (operation.RequestBody?.Content is { } bodies && bodies.TryGetValue(Form, out var body) && body is OpenApiMediaType form)
        {
            var fields = FieldsOf(operation.OperationId);
            form.Schema = new OpenApiSchema { Type = JsonSchemaType.Object, Properties = fields, Required = new HashSet<string> { "files" } };
            form.Encoding = fields.Keys.ToDictionary(name => name, _ => new OpenApiEncoding { ContentType = Images });
        }
        foreach (var (mediaType, content) in operation.RequestBody?.Content ?? new Dictionary<string, IOpenApiMediaType>())
            if (content is OpenApiMediaType raw && mediaType.StartsWith("image/", StringComparison.Ordinal)) raw.Schema = File(null);
        foreach (var (mediaType, content) in (operation.Responses ?? []).Values.SelectMany(response => response.Content ?? new Dictionary<string, IOpenApiMediaType>()))
            if (content is OpenApiMediaType answer && !mediaType.Contains("json", StringComparison.Ordinal) && !mediaType.StartsWith("text/", StringComparison.Ordinal))
                answer.Schema = File(null);
    }

    private static Dictionary<string, IOpenApiSchema> FieldsOf(string? operationId) => operationId switch
    {
        "ScoreImage" => new() { ["files"] = File("The image.") },
        "UploadImages" => new()
        {
            ["files"] = Files("The images: PNG, JPEG, BMP, TIFF or WebP."),
            ["masks"] = Optional(Files("Masks of anomalous images, white where the defect is; NAME.png or NAME_mask.png belongs to the image NAME.")),
        },
        _ => new() { ["files"] = Files("The images: PNG, JPEG, BMP, TIFF or WebP.") },
    };

    private static OpenApiSchema File(string? description) => new() { Type = JsonSchemaType.String, Format = "binary", Description = description };

    /// <summary>Swagger UI sends an empty file for a row that is left alone; a list that is empty by default begins without rows.</summary>
    private static OpenApiSchema Optional(OpenApiSchema files)
    {
        files.Default = new JsonArray();
        return files;
    }

    private static OpenApiSchema Files(string description) => new() { Type = JsonSchemaType.Array, Items = File(null), Description = description };
}
