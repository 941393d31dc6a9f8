using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests.Contracts;

/// <summary>
/// The contracts of the client are written from the OpenAPI document. This test holds them equal to what the service
/// serves, so that a change of the API changes the client too.
/// </summary>
public sealed class ContractTests(SharedService shared)
{
    /// <summary>Set to anything, the test writes the file.</summary>
    private const string Rewrite = "PADIM_WRITE_CONTRACT";

    private static readonly string File = Path.Combine(
        Repository.Root,
        "src",
        "PaDiM.Client",
        "Contracts",
        "Contracts.g.cs"
    );

    private static readonly string Templates = Path.Combine(
        Repository.Root,
        "tests",
        "PaDiM.Client.Tests",
        "Contracts",
        "Templates"
    );

    [Fact]
    public async Task The_client_has_the_contracts_of_the_service()
    {
        var document = await (await shared.Service.Http.GetAsync("/swagger/v1/swagger.json")).JsonAsync(200);
        var contracts = await ContractWriter.WriteAsync(document, Templates);
        if (Environment.GetEnvironmentVariable(Rewrite) is { Length: > 0 })
            await System.IO.File.WriteAllTextAsync(File, contracts);
        Assert.True(
            contracts == await System.IO.File.ReadAllTextAsync(File),
            $"The API has changed. Run this test with {Rewrite}=1, which writes {File}, then build."
        );
    }

    [Fact]
    public void An_answer_of_an_older_service_lacks_members_and_is_read()
    {
        var score = JsonSerializer.Deserialize("""{"score": 1.5}""", PadimJson.Default.ScoreResponse)!;
        Assert.Equal(1.5, score.Score);
        Assert.Equal("", score.Category);
        Assert.Empty(score.Regions);
        Assert.NotNull(score.TimingsMs);
    }

    [Fact]
    public void Names_of_a_newer_service_are_kept_and_sent_back()
    {
        var score = JsonSerializer.Deserialize(
            """{"decision": "melted", "somethingNew": {"a": [1]}}""",
            PadimJson.Default.ScoreResponse
        )!;
        Assert.Equal("melted", score.Decision.ToString());
        Assert.NotEqual(Decision.Anomalous, score.Decision);
        Assert.Equal(new Decision("melted"), score.Decision);
        Assert.Contains(
            "\"decision\":\"melted\"",
            JsonSerializer.Serialize(score, PadimJson.Default.ScoreResponse),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Every_contract_has_metadata_and_defaults_that_end()
    {
        var contracts = typeof(PadimJson)
            .Assembly.GetExportedTypes()
            .Where(type =>
                type.GetProperties().Any(property => property.IsDefined(typeof(JsonPropertyNameAttribute), false))
            )
            .ToArray();
        Assert.True(contracts.Length > 100);
        foreach (var contract in contracts)
        {
            Assert.NotNull(Activator.CreateInstance(contract));
            Assert.NotNull(PadimJson.Default.GetTypeInfo(contract));
        }
    }
}
