using System.Text.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>
/// The console's types are made from a copy of the OpenAPI document, without its texts. This test holds the copy equal
/// to what the service serves, so that a change of the API breaks the build of the console where it must follow.
/// </summary>
public sealed class ConsoleContractTests(SharedService shared)
{
    /// <summary>Set to anything, the test writes the copy.</summary>
    private const string Rewrite = "PADIM_WRITE_CONTRACT";
    private static readonly string Copy = Path.Combine(Repository.Root, "src", "PaDiM.Console", "openapi.json");
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };
    private static readonly string[] Texts =
    [
        "description",
        "example",
        "examples",
        "summary",
        "tags",
        "security",
        "headers",
        "info",
        "additionalProperties",
    ];

    [Fact]
    public async Task The_console_is_built_against_the_contract_of_the_service()
    {
        var document = await (await shared.Http.GetAsync("/swagger/v1/swagger.json")).JsonAsync(200);
        var contract = Reduce(document).ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable(Rewrite) is { Length: > 0 })
            await File.WriteAllTextAsync(Copy, contract);
        Assert.True(
            contract == await File.ReadAllTextAsync(Copy),
            $"The API has changed. Run this test with {Rewrite}=1, which writes src/PaDiM.Console/openapi.json, then "
                + "build: the compiler shows what the console must follow."
        );
    }

    private static JsonObject Reduce(JsonNode document)
    {
        var paths = new JsonObject();
        foreach (var (path, operations) in document["paths"]!.AsObject().Where(path => path.Key.StartsWith("/v1/")))
            paths[path] = new JsonObject(
                operations!
                    .AsObject()
                    .Select(operation =>
                        KeyValuePair.Create(operation.Key, (JsonNode?)ReduceOperation(operation.Value!))
                    )
            );
        return new JsonObject
        {
            ["openapi"] = document["openapi"]!.DeepClone(),
            ["info"] = new JsonObject { ["title"] = "PaDiM.Service", ["version"] = "v1" },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(
                    document["components"]!["schemas"]!
                        .AsObject()
                        .Select(schema => KeyValuePair.Create(schema.Key, Strip(schema.Value)))
                ),
            },
        };
    }

    /// <summary>Problems all have one shape.</summary>
    private static JsonObject ReduceOperation(JsonNode operation)
    {
        var reduced = Strip(operation)!.AsObject();
        var responses = new JsonObject(
            reduced["responses"]!
                .AsObject()
                .Where(response => response.Key.StartsWith('2'))
                .Select(response => KeyValuePair.Create(response.Key, (JsonNode?)WithDescription(response.Value!)))
        )
        {
            ["default"] = JsonNode.Parse(
                """
                {
                  "description": "",
                  "content": {
                    "application/problem+json": { "schema": { "$ref": "#/components/schemas/ProblemResponse" } }
                  }
                }
                """
            ),
        };
        reduced["responses"] = responses;
        return reduced;
    }

    private static JsonObject WithDescription(JsonNode response)
    {
        var described = response.DeepClone().AsObject();
        described["description"] = "";
        return described;
    }

    /// <summary>Leaves out what is for people. Below <c>properties</c> the keys are names of members.</summary>
    private static JsonNode? Strip(JsonNode? node, bool areNames = false) =>
        node switch
        {
            JsonArray list => new JsonArray([.. list.Select(item => Strip(item))]),
            JsonObject map => new JsonObject(
                map.Where(member => areNames || !Texts.Contains(member.Key) || IsMap(member))
                    .Select(member =>
                        KeyValuePair.Create(member.Key, Strip(member.Value, !areNames && member.Key == "properties"))
                    )
            ),
            _ => node?.DeepClone(),
        };

    /// <summary>A schema whose members have names of their own, such as a dictionary.</summary>
    private static bool IsMap(KeyValuePair<string, JsonNode?> member) =>
        member is { Key: "additionalProperties", Value: JsonObject };
}
