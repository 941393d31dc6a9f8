using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace PaDiM.Service.OpenApi;

/// <summary>Documents the response headers.</summary>
internal sealed class DocumentedHeaders : IOperationFilter
{
    private const string Hash = "\"ae3bcf25296dd95dafe54cf7339fa7870c84071ebff1d0a76d9f4fc9a0d0159a\"";

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
            ("GetImage", "200") => new()
            {
                ["ETag"] = Tag("SHA-256 of the image, for If-None-Match and If-Range."),
                ["Accept-Ranges"] = Ranges(),
                ["Cache-Control"] = Text("Images never change.", "private, max-age=31536000, immutable"),
            },
            ("GetThumbnail", "200") => new()
            {
                ["ETag"] = Text(
                    "SHA-256 of the image, with the category's significantBits if there are any, for If-None-Match.",
                    $"W/{Hash}"
                ),
                ["Cache-Control"] = Text("Thumbnails change with significantBits.", "private, max-age=3600"),
            },
            ("GetIgnoreMask", "200") => new()
            {
                ["ETag"] = Tag("SHA-256 of the mask, for If-None-Match and If-Range."),
                ["Accept-Ranges"] = Ranges(),
            },
            ("ExportModel", "200") => new()
            {
                ["ETag"] = Tag(
                    "SHA-256 of the safetensors file; of ONNX, a hash of the model, its threshold and the version of "
                        + "the service. For If-None-Match and If-Range."
                ),
                ["Accept-Ranges"] = Ranges(),
            },
            (_, "206") => new()
            {
                ["ETag"] = Tag("As with 200."),
                ["Content-Range"] = Text("The part that this is, and the length of the whole.", "bytes 0-1023/72568"),
            },
            (_, "304") => new() { ["ETag"] = Tag("As with 200.") },
            (_, "416") => new() { ["Content-Range"] = Text("The length of the whole.", "bytes */72568") },
            ("ScoreImage", "200") => new()
            {
                ["X-Part-Id"] = Text("The part, as named in the request.", "SN-004711"),
                ["X-Inspection-Id"] = Text(
                    "Identifies the inspection, as named in the request, or a new one; not sent for a version that is "
                        + "not active.",
                    "01a20a9c5ae27c1f8f6a19e3cf3db3ee"
                ),
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
                ["X-Padim-Score-Ratio"] = Number(
                    "Score / threshold: from 1 on, the image is anomalous. Not sent if the threshold is 0.",
                    1.322229
                ),
                ["X-Padim-Defect-Area-Percent"] = Number("Area of all regions in percent of what counts.", 5.725098),
                ["X-Padim-P-Value"] = Number(
                    "p-value: how surprising the score would be for a normal image.",
                    0.0047619
                ),
                ["X-Padim-Decision"] = Text("`normal`, `review` or `anomalous`.", "anomalous"),
                ["X-Padim-Warnings"] = Text(
                    "Codes of the warnings about the image, with commas between them; not sent if there are none.",
                    "size_differs, unlike_training"
                ),
            },
            _ => [],
        };

    private static Dictionary<string, IOpenApiHeader> Location(string of, string example) =>
        new() { ["Location"] = Text($"URL {of}.", example) };

    private static OpenApiHeader Tag(string description) => Text(description, Hash);

    private static OpenApiHeader Ranges() => Text("A `Range` of bytes is answered with 206.", "bytes");

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
