using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using PaDiM.Service.Data;
using PaDiM.Service.Sinks;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Runs the lines of pages about the line as they are there, one block after the other.</summary>
public sealed partial class DocumentedCommandTests : IAsyncLifetime
{
    private const string Bash = "/bin/bash";

    /// <summary>
    /// What is not a success fails the block. A job that has been asked for is waited for, and <c>ID</c> is its identifier.
    /// </summary>
    private const string Prelude = """
        set -eu
        wait_for() {
            ID=$1
            until [[ $(command curl -sS "$API/v1/jobs/$ID") =~ \"state\":\"(succeeded|failed)\" ]]; do sleep 0.1; done
            [ "${BASH_REMATCH[1]}" = succeeded ]
        }
        curl() {
            local body
            echo "curl $*" >&2
            body=$(command curl -sS --fail-with-body "$@") || { echo "$body" >&2; return 1; }
            if [[ $body =~ \"id\":\"([0-9a-f]+)\",\"kind\":\"(fit|lookback)\" ]]; then wait_for "${BASH_REMATCH[1]}"; fi
            echo "$body"
        }

        """;

    private readonly TempDirectory _data = new();
    private RunningService _service = null!;
    private string _inspection = "";

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(
            new[] { "curl", "openssl" }.All(program => File.Exists($"/usr/bin/{program}")),
            "curl or openssl is absent."
        );
        _service = await RunningService.StartAsync(_data.Path, ("SinkFlushSeconds", 0));
        var flange = _service.Category("flange");
        await flange.CreateFittedAsync(6);
        for (var k = 0; k < 4; k++)
            _inspection = (await _service.InspectAsync(flange, k < 2 ? Parts.Good(50 + k) : Parts.Bad(50 + k))).Text(
                "inspectionId"
            );
        await (
            await _service.Http.PutAsJsonAsync($"/v1/inspections/{_inspection}/verdict", new { verdict = "good" })
        ).JsonAsync(200);
        await File.WriteAllBytesAsync(_data.Combine("part.bmp"), Parts.Good(60));
        Directory.CreateDirectory(_data.Combine("parts", "test", "scratch"));
        await File.WriteAllBytesAsync(_data.Combine("parts", "test", "scratch", "002.png"), Parts.Bad(60));
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        _data.Dispose();
    }

    [Theory]
    [InlineData("inspections.md", 8)]
    [InlineData("learn.md", 11)]
    [InlineData("sinks.md", 9)]
    [InlineData("protocols.md", 2)]
    public async Task The_commands_of_a_page_succeed(string name, int commands)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", name));
        var ran = 0;
        foreach (
            var block in Blocks()
                .Matches(page)
                .Select(match => match.Groups[1].Value)
                .Where(block => block.Contains("curl", StringComparison.Ordinal))
        )
            ran += await RunAsync(
                block,
                block.Contains("dead-letters", StringComparison.Ordinal) ? await AddLettersAsync() : _inspection
            );
        Assert.Equal(commands, ran);
    }

    /// <summary>Runs a block. Returns the number of commands.</summary>
    private async Task<int> RunAsync(string block, string id)
    {
        using var process = Process.Start(
            new ProcessStartInfo(Bash, ["-c", Prelude + block])
            {
                WorkingDirectory = _data.Path,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["API"] = _service.Http.BaseAddress!.ToString().TrimEnd('/'),
                    ["PART"] = _data.Combine("part.bmp"),
                    ["ID"] = id,
                },
            }
        )!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{block}\n{errors}\n{await output}");
        return errors.Split('\n').Count(line => line.StartsWith("curl ", StringComparison.Ordinal));
    }

    /// <summary>Adds dead letters to the sink of the page. Returns the identifier of one.</summary>
    private async Task<string> AddLettersAsync()
    {
        var now = DateTime.UtcNow;
        var letters = Enumerable
            .Range(0, 2)
            .Select(k => new DeadLetter
            {
                Id = $"{now.Ticks:x16}{k:x16}",
                Sink = "mes",
                State = DeadLetterState.Refused,
                Inspection = DeadLetterStore.Write(MqttSinkTests.Make()),
                Error = "HTTP 422",
                CreatedAt = now,
                TriedAt = now,
            })
            .ToList();
        await _service.Get<DeadLetterStore>().AddAsync(letters, 100, default);
        return letters[0].Id;
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
