using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Documents the response headers.</summary>
internal sealed class DocumentedHeaders : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var (status, response) in operation.Responses ?? [])
            if (
                response is OpenApiResponse described
                && GetHeaders(operation.OperationId, status) is { Count: > 0 } headers
            )
                described.Headers = headers;
    }

    public static Dictionary<string, IOpenApiHeader> RetryAfter() =>
        new() { ["Retry-After"] = Whole("Number of seconds after which to retry.", 1) };

    private static Dictionary<string, IOpenApiHeader> GetHeaders(string? operationId, string status) =>
        (operationId, status) switch
        {
            ("PutCategory", "201") => Location("of the category", "/v1/categories/bottle"),
            ("ImportModel", "201") => Location("of the version", "/v1/categories/bottle/models/2"),
            ("CreateKey", "201") => Location("of the key, without the key itself", "/v1/keys/3f2a9c01d4e5"),
            (_, "401") => new()
            {
                ["WWW-Authenticate"] = Text("The supported authentication scheme.", "Bearer realm=\"padim\""),
            },
            ("StartScrub", "202") => Location("for the status of the scrub", "/v1/system/scrub"),
            (_, "202") => Location("of the job, to follow its progress", "/v1/jobs/01a20a73769176438e6039d1c152083e"),
            ("GetImage" or "GetThumbnail", "200") => new()
            {
                ["ETag"] = Text(
                    "Hash of the image.",
                    "\"ae3bcf25296dd95dafe54cf7339fa7870c84071ebff1d0a76d9f4fc9a0d0159a\""
                ),
                ["Cache-Control"] = Text("Images never change.", "private, max-age=31536000, immutable"),
            },
            ("ExportModel", "200") => new()
            {
                ["ETag"] = Text(
                    "Hash of the safetensors file; not sent with ONNX.",
                    "\"f332d7b86ffd03293ffd505acf0e60287c999ec665f6118a616e79cc8c81ae68\""
                ),
            },
            ("ScoreImage", "200") => new()
            {
                ["X-Part-Id"] = Text("The part, as named in the request.", "SN-004711"),
                ["X-Padim-Category"] = Text(
                    "Name of the category. Like the other X-Padim headers, it is not sent with JSON, which "
                        + "contains it.",
                    "bottle"
                ),
                ["X-Padim-Model-Version"] = Whole("Version of the model.", 1),
                ["X-Padim-Fallback"] = Text(
                    "`true` if the file of the active version is damaged and an earlier one stands in for "
                        + "it, otherwise `false`.",
                    "false"
                ),
                ["X-Padim-Score"] = Number("Maximum of the anomaly map.", 39.817478),
                ["X-Padim-Threshold"] = Number("Scores at or above it are anomalous.", 30.113895),
                ["X-Padim-P-Value"] = Number(
                    "p-value: how surprising the score would be for a normal image.",
                    0.0047619
                ),
                ["X-Padim-Decision"] = Text("`normal`, `review` or `anomalous`.", "anomalous"),
            },
            _ => [],
        };

    private static Dictionary<string, IOpenApiHeader> Location(string of, string example) =>
        new() { ["Location"] = Text($"URL {of}.", example) };

    private static OpenApiHeader Text(string description, string example) =>
        Header(description, JsonSchemaType.String, example);

    private static OpenApiHeader Whole(string description, int example) =>
        Header(description, JsonSchemaType.Integer, example);

    private static OpenApiHeader Number(string description, double example) =>
        Header(description, JsonSchemaType.Number, example);

    private static OpenApiHeader Header(string description, JsonSchemaType type, JsonNode example) =>
        new()
        {
            Description = description,
            Schema = new OpenApiSchema { Type = type },
            Example = example,
        };
}
