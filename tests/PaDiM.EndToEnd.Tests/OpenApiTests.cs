using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.Engine.Faults;

namespace PaDiM.EndToEnd.Tests;

/// <summary>The OpenAPI document says all that a stranger needs, and nothing that is not so.</summary>
public sealed partial class OpenApiTests(PublishedService service)
{
    private const string Problem = "application/problem+json",
        Json = "application/json";

    private readonly ServiceClient _client = service.Client;

    [Fact]
    public async Task Every_operation_has_a_name_a_summary_examples_and_error_codes()
    {
        var document = await ApiDocument.ReadAsync(_client);

        Assert.NotEmpty(document.Operations);
        Assert.Empty(
            document.Operations.SelectMany(operation =>
                Gaps(operation).Select(gap => $"{operation.Method} {operation.Path}: {gap}")
            )
        );
        Assert.Equal(
            document.Operations.Count,
            document.Operations.Select(operation => operation.Id).Distinct().Count()
        );
    }

    [Fact]
    public async Task Every_code_of_a_problem_occurs_in_the_document()
    {
        var source = await File.ReadAllTextAsync(
            Path.Combine(PublishedService.Repository, "src", "PaDiM.Service", "Http", "Problems.cs")
        );
        var codes = CodeInSource()
            .Matches(source)
            .Select(match => (string)typeof(ProblemCodes).GetField(match.Groups[1].Value)!.GetRawConstantValue()!)
            .ToHashSet();
        var document = await ApiDocument.ReadAsync(_client);
        var introduction = (string)document.Root["info"]!["description"]!;

        var documented = document
            .Examples.Select(example => example.Value is JsonObject problem ? (string?)problem["code"] : null)
            // What no operation of the document answers stands in the introduction.
            .Concat(
                new[] { "route_not_found", "method_not_allowed", "signature_invalid" }.Where(introduction.Contains)
            );

        Assert.NotEmpty(codes);
        Assert.Empty(codes.Except(documented));
    }

    [Fact]
    public async Task Every_property_and_parameter_is_described()
    {
        var document = await ApiDocument.ReadAsync(_client);

        var properties =
            from schema in document.Root["components"]!["schemas"]!.AsObject()
            from property in schema.Value!["properties"]?.AsObject() ?? []
            where property.Value!["description"] is null && property.Value["$ref"] is null
            select $"{schema.Key}.{property.Key}";
        var parameters =
            from operation in document.Operations
            from parameter in operation.Parameters
            where parameter["description"] is null
            select $"{operation.Id} {parameter["name"]}";

        Assert.Empty(properties.Concat(parameters));
    }

    [Fact]
    public async Task Every_example_fits_its_schema()
    {
        var document = await ApiDocument.ReadAsync(_client);
        var shape = new JsonShape(document.Root);

        Assert.Empty(
            document.Examples.SelectMany(example =>
                shape.Faults(example.Schema, example.Value).Select(fault => $"{example.Where}: {fault}")
            )
        );
    }

    [Fact]
    public async Task Examples_of_requests_are_accepted_by_the_service()
    {
        const string category = "examples";
        await _client.PrepareSyntheticAsync(category);
        var document = await ApiDocument.ReadAsync(_client);
        var image = (string)(await _client.GetAsync($"/v1/categories/{category}/images"))["items"]![0]!["id"]!;
        await PrepareInspectionAsync(document, category);
        await AddVersionAsync(category);
        var sent = 0;
        // The key of an example opens no service.
        foreach (var operation in document.Operations.Where(operation => operation.Id != "CreateSession"))
        foreach (var body in operation.RequestExamples)
        {
            var path = operation.Path.EndsWith("/images/{id}", StringComparison.Ordinal)
                ? $"/v1/categories/{category}/images/{image}"
                : operation.PathFor(category);
            // Where the images come from is decided when a category is created.
            if (body is JsonObject settings && (string?)settings["imagesOf"] is { } source)
            {
                await _client.PutAsync($"/v1/categories/{source}", new JsonObject());
                path = operation.PathFor("region-of-examples");
            }
            using var request = new HttpRequestMessage(new HttpMethod(operation.Method), path)
            {
                Content = JsonContent.Create(body),
            };
            using var response = await _client.Http.SendAsync(request);
            Assert.True(
                response.IsSuccessStatusCode,
                $"{operation.Id} with {body.ToJsonString()}: {await response.Content.ReadAsStringAsync()}"
            );
            sent++;
        }
        Assert.True(sent > 2, "Hardly any operation has an example of a request.");
    }

    /// <summary>Scores an image whose inspection has the identifier of the examples.</summary>
    private async Task PrepareInspectionAsync(ApiDocument document, string category)
    {
        using var durable = await _client.Http.PatchAsJsonAsync(
            $"/v1/categories/{category}",
            new { inspections = new { durable = true, images = "all" } }
        );
        durable.EnsureSuccessStatusCode();
        var id = document
            .Operations.Single(operation => operation.Id == "GetInspection")
            .Parameters.Single(parameter => (string?)parameter["name"] == "id")["example"]!.ToString();
        using var score = new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{category}/score")
        {
            Content = new ByteArrayContent(TestSupport.Parts.SyntheticParts.Good(1).ToBmp()),
            Headers = { { "X-Inspection-Id", id } },
        };
        score.Content.Headers.ContentType = new("image/bmp");
        using var scored = await _client.Http.SendAsync(score);
        scored.EnsureSuccessStatusCode();
        await _client.PutAsync($"/v1/inspections/{id}/verdict", new JsonObject { ["verdict"] = "good" });
        // Photographs are kept behind their rows.
        for (var attempt = 0; attempt < 200; attempt++)
            if ((await _client.GetAsync($"/v1/inspections/{id}"))["image"]!["keptBytes"] is null)
                await Task.Delay(50);
    }

    /// <summary>Adds a second version, which is not active.</summary>
    private async Task AddVersionAsync(string category)
    {
        var model = await _client.Http.GetByteArrayAsync($"/v1/categories/{category}/models/1/export");
        using var import = new HttpRequestMessage(
            HttpMethod.Post,
            $"/v1/categories/{category}/models/import?activate=false"
        )
        {
            Content = new ByteArrayContent(model),
        };
        import.Content.Headers.ContentType = new("application/octet-stream");
        await _client.SendAsync(import);
    }

    [Fact]
    public async Task Values_of_enumerations_in_queries_are_accepted_as_they_are_documented()
    {
        const string category = "enumerations";
        await _client.PutAsync($"/v1/categories/{category}", new JsonObject());
        var document = await ApiDocument.ReadAsync(_client);
        var queries =
            from operation in document.Operations
            where operation.Method == "get"
            from parameter in operation.Parameters
            let reference = (string?)parameter["schema"]!["$ref"]
            where reference is not null
            from value in document.Root["components"]!["schemas"]![reference.Split('/')[^1]]!["enum"]!.AsArray()
            let path = operation.PathFor(category)
            // Some filters need the category that they are about.
            let within = operation.TakesCategory ? $"category={category}&" : ""
            select $"{path}?{within}{parameter["name"]}={value}";

        Assert.NotEmpty(queries);
        foreach (var query in queries)
        {
            // An unknown value is a bad request, whatever else the answer may be.
            using var response = await _client.Http.GetAsync(query);
            Assert.True(response.StatusCode != System.Net.HttpStatusCode.BadRequest, query);
        }
    }

    [Fact]
    public async Task Answers_fit_the_schemas_of_the_document()
    {
        const string category = "answers";
        await _client.PrepareSyntheticAsync(category);
        await AddVersionAsync(category);
        await _client.PutAsync($"/v1/categories/{category}/shadow", new JsonObject { ["version"] = 2 });
        await _client.PutAsync(
            "/v1/sinks/mes",
            new JsonObject
            {
                ["enabled"] = false,
                ["webhook"] = new JsonObject
                {
                    ["url"] = "https://mes.example/",
                    ["secrets"] = new JsonArray("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                },
            }
        );
        var document = await ApiDocument.ReadAsync(_client);
        var shape = new JsonShape(document.Root);
        var asked = document.Operations.Where(operation =>
            operation.Method == "get"
            && !operation.Path.Contains("{id}", StringComparison.Ordinal)
            && SchemaOf(operation) is not null
        );

        foreach (var operation in asked)
            Fits(
                operation,
                await _client.GetAsync(
                    operation.PathFor(category) + (operation.TakesCategory ? $"?category={category}" : "")
                )
            );
        Fits(
            document.Operations.Single(operation => operation.Id == "ScoreImage"),
            await _client.ScoreAsync(category, TestSupport.Parts.SyntheticParts.Good(1).ToBmp())
        );

        void Fits(Operation operation, JsonNode answer) =>
            Assert.Empty(shape.Faults(SchemaOf(operation), answer).Select(fault => $"{operation.Id}: {fault}"));
    }

    private static JsonNode? SchemaOf(Operation operation) =>
        operation.Node["responses"]?["200"]?["content"]?[Json]?["schema"];

    private static IEnumerable<string> Gaps(Operation operation)
    {
        if (string.IsNullOrEmpty(operation.Id))
            yield return "no operationId";
        if (string.IsNullOrEmpty((string?)operation.Node["summary"]))
            yield return "no summary";
        foreach (var (where, mediaType) in operation.Contents)
            if (mediaType["examples"] is null && where.Split(' ') is not ["request", not Json])
                yield return $"no example for {where}";
        var problems = operation
            .Responses.Where(response => response.Value!["content"]?[Problem] is not null)
            .ToArray();
        if (problems.Length == 0)
            yield return "no problems";
        foreach (var (status, response) in problems)
        foreach (var (name, example) in response!["content"]![Problem]!["examples"]?.AsObject() ?? [])
            if ((string?)example!["value"]?["code"] != name || example["value"]!["status"]!.ToString() != status)
                yield return $"{status} {name} is not an example of itself";
        foreach (var (status, response) in operation.Responses)
            if (
                response!["content"]?[Problem]?["examples"] is JsonObject codes
                && (codes.ContainsKey("queue_full") || codes.ContainsKey("storage_full"))
                && response["headers"]?["Retry-After"] is null
            )
                yield return $"{status} without Retry-After";
    }

    [GeneratedRegex("""ProblemCodes\.(\w+)""")]
    private static partial Regex CodeInSource();
}
