using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Telemetry;

/// <summary>The service as a process of its own, whose meters and log are no other service's.</summary>
internal sealed partial class ObservedService : IAsyncDisposable
{
    private readonly TempDirectory _data = new();
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Process _process;

    private ObservedService(params (string Name, string Value)[] environment)
    {
        var start = ServiceProcess.CreateStart();
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["Padim__DataDirectory"] = _data.Path;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public HttpClient Http { get; private set; } = null!;

    /// <summary>The log so far.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>The events of a JSON log so far.</summary>
    public IEnumerable<JsonNode> Events => _lines.Where(line => line.Length > 0).Select(line => JsonNode.Parse(line)!);

    public static async Task<ObservedService> StartAsync(params (string Name, string Value)[] environment)
    {
        var service = new ObservedService(environment);
        Match? listening = null;
        while (
            (
                listening = service
                    ._lines.Select(line => ListeningLine().Match(line))
                    .FirstOrDefault(match => match.Success)
            )
                is null
        )
        {
            Assert.False(service._process.HasExited, string.Join('\n', service._lines));
            await Task.Delay(50);
        }
        service.Http = new HttpClient
        {
            BaseAddress = new Uri(listening.Groups[1].Value),
            Timeout = TimeSpan.FromMinutes(5),
        };
        return service;
    }

    /// <summary>A category with a model of 20 good parts.</summary>
    public async Task<CategoryClient> FittedAsync(string name)
    {
        var category = new CategoryClient(Http, name);
        await category.CreateFittedAsync(20);
        return category;
    }

    public async Task<Scrape> ScrapeAsync()
    {
        // The exporter answers from memory within 300 ms of an answer.
        await Task.Delay(400);
        var answer = await Http.GetAsync("/metrics");
        Assert.Equal((200, "text/plain"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        return Scrape.Parse(await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _data.Dispose();
    }

    [GeneratedRegex(@"(?:Now listening on: ""?|""address"":"")(http://[^""\s]+)")]
    private static partial Regex ListeningLine();
}
