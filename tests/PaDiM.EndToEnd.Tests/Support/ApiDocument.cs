using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>The OpenAPI document as the service serves it.</summary>
public sealed class ApiDocument(JsonNode document)
{
    public JsonNode Root => document;

    public IReadOnlyList<Operation> Operations { get; } =
    [
        .. from path in document["paths"]!.AsObject()
        from method in path.Value!.AsObject()
        select new Operation(method.Key, path.Key, method.Value!),
    ];

    /// <summary>Every example of a request or an answer, where it stands, and the schema that it follows.</summary>
    public IEnumerable<(string Where, JsonNode Schema, JsonNode? Value)> Examples =>
        from operation in Operations
        from content in operation.Contents
        from example in content.MediaType["examples"]?.AsObject() ?? []
        select ($"{operation.Id} {content.Where} {example.Key}", content.MediaType["schema"]!, example.Value!["value"]);

    public static async Task<ApiDocument> ReadAsync(ServiceClient client) =>
        new(await client.GetAsync("/swagger/v1/swagger.json"));
}

/// <summary>An operation of the document.</summary>
public sealed partial record Operation(string Method, string Path, JsonNode Node)
{
    public string? Id => (string?)Node["operationId"];

    public IEnumerable<JsonNode> Parameters => Node["parameters"]?.AsArray().Select(parameter => parameter!) ?? [];

    public IEnumerable<KeyValuePair<string, JsonNode?>> Responses => Node["responses"]!.AsObject();

    /// <summary>Bodies of requests and answers.</summary>
    public IEnumerable<(string Where, JsonNode MediaType)> Contents =>
        (Node["requestBody"]?["content"]?.AsObject() ?? [])
            .Select(body => ($"request {body.Key}", body.Value!))
            .Concat(
                Responses.SelectMany(response =>
                    (response.Value!["content"]?.AsObject() ?? []).Select(body =>
                        ($"{response.Key} {body.Key}", body.Value!)
                    )
                )
            );

    /// <summary>JSON bodies to send.</summary>
    public IEnumerable<JsonNode> RequestExamples =>
        (Node["requestBody"]?["content"]?["application/json"]?["examples"]?.AsObject() ?? []).Select(example =>
            example.Value!["value"]!
        );

    /// <summary>The path with a category of one's own, and the document's examples for everything else.</summary>
    /// <summary>Gets whether the query may name a category.</summary>
    public bool TakesCategory =>
        Parameters.Any(parameter => (string?)parameter["name"] == "category" && (string?)parameter["in"] == "query");

    public string PathFor(string category) =>
        Placeholder()
            .Replace(
                Path,
                name =>
                    name.Groups[1].Value == "category"
                        ? category
                        : Parameters.Single(parameter => (string?)parameter["name"] == name.Groups[1].Value)[
                            "example"
                        ]!.ToString()
            );

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
