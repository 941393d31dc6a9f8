using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>
/// Builds the TypeScript client, whose types come from the OpenAPI document, and runs it against a real service and
/// against one that misbehaves.
/// </summary>
public sealed class TypeScriptClientTests(SharedService shared, BuiltTypeScriptClient built)
    : IClassFixture<BuiltTypeScriptClient>
{
    [Fact]
    public async Task The_walk_of_the_README()
    {
        await built.BuildAsync();
        using var folder = new TempDirectory();
        for (var seed = 0; seed < 33; seed++)
            await File.WriteAllBytesAsync(folder.Combine($"good-{seed:000}.bmp"), Parts.Good(seed));
        await File.WriteAllBytesAsync(folder.Combine("bad.bmp"), Parts.Bad(70));
        await BuiltTypeScriptClient.RunAsync(
            "node",
            "test/walk.mjs",
            shared.Address.ToString(),
            shared.NewName(),
            folder.Path
        );
    }

    [Fact]
    public async Task Retries_deadlines_and_answers_of_others()
    {
        await built.BuildAsync();
        await using var server = await StubServer.StartAsync(Misbehaviour.AnswerAsync);
        await BuiltTypeScriptClient.RunAsync("node", "test/trouble.mjs", server.Address.ToString());
    }
}
