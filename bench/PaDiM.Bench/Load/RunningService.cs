using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using PaDiM.Core.Embedding;

namespace PaDiM.Bench.Load;

/// <summary>Runs the built service as a separate process, with one fitted category.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private static readonly MediaTypeHeaderValue Jpeg = new("image/jpeg");

    private readonly Process _process;
    private readonly HttpClient _http;

    private RunningService(Process process, HttpClient http)
    {
        _process = process;
        _http = http;
    }

    /// <summary>Gets the names of the stages that the service reports.</summary>
    public static string[] StageNames => ["queue", "decode", "embed", "distance", "postprocess", "total"];

    /// <summary>Gets the CPU time of the service.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Gets the memory of the service.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts the service with its own data directory and fits a category.</summary>
    public static async Task<RunningService> StartAsync(
        Workbench workbench,
        string backbone,
        ReductionMethod reduction = ReductionMethod.SemiOrthogonal,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        Uri address;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            address = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}");
        }
        var start = new ProcessStartInfo("dotnet", [BuiltPrograms.Service]) { RedirectStandardOutput = true };
        start.Environment["ASPNETCORE_URLS"] = address.ToString();
        start.Environment["Padim__DataDirectory"] = Path.Combine(workbench.Scratch, $"service-{reduction}");
        start.Environment["Padim__BackboneDirectories__0"] = workbench.BackboneDirectory;
        start.Environment["Padim__Threads"] = workbench.ThreadCount.ToString(
            System.Globalization.CultureInfo.InvariantCulture
        );
        start.Environment["Serilog__MinimumLevel__Default"] = "Warning";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        // Shows warnings and errors. An unread pipe would also block the service once it is full.
        process.OutputDataReceived += (_, line) => Console.Error.WriteLine(line.Data);
        process.BeginOutputReadLine();
        var service = new RunningService(
            process,
            new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(10) }
        );
        try
        {
            await service.WaitUntilListeningAsync();
            await service.FitAsync(
                "bench",
                new
                {
                    backbone,
                    reduction = new { method = JsonNamingPolicy.KebabCaseLower.ConvertName($"{reduction}") },
                },
                workbench.Files
            );
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Scores an image and reads the response. It does nothing else, to leave the cores to the service.
    /// </summary>
    public async Task<byte[]> ScoreAsync(byte[] image, string category = "bench")
    {
        using var body = new ByteArrayContent(image);
        body.Headers.ContentType = Jpeg;
        return await ScoreAsync(body, category);
    }

    /// <summary>Scores the file of a form.</summary>
    public async Task<byte[]> ScoreFormAsync(byte[] image)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(image), "file", "image" } };
        return await ScoreAsync(form, "bench");
    }

    private async Task<byte[]> ScoreAsync(HttpContent body, string category)
    {
        using var response = (
            await _http.PostAsync($"/v1/categories/{category}/score", body)
        ).EnsureSuccessStatusCode();
        return await response.Content.ReadAsByteArrayAsync();
    }

    /// <summary>Sends an empty request.</summary>
    public async Task PingAsync()
    {
        using var response = (await _http.GetAsync("/health/live")).EnsureSuccessStatusCode();
    }

    /// <summary>Reads the milliseconds of a response, in the order of <see cref="StageNames"/>.</summary>
    public static double[] ReadStages(byte[] answer)
    {
        using var json = JsonDocument.Parse(answer);
        var timings = json.RootElement.GetProperty("timingsMs");
        return [.. StageNames.Select(stage => timings.GetProperty(stage).GetDouble())];
    }

    /// <summary>Exports the model file.</summary>
    public Task<byte[]> ExportAsync() => _http.GetByteArrayAsync("/v1/categories/bench/models/1/export");

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Uploads images to a category and fits it.</summary>
    /// <param name="category">Its name. It is created, or its settings are changed.</param>
    /// <param name="settings">The body of its PUT request.</param>
    /// <param name="images">The encoded images.</param>
    public async Task FitAsync(string category, object settings, IReadOnlyList<byte[]> images)
    {
        await PutAsync(category, settings);
        foreach (var chunk in images.Chunk(50))
        {
            using var form = new MultipartFormDataContent();
            for (var i = 0; i < chunk.Length; i++)
                form.Add(new ByteArrayContent(chunk[i]), "files", $"{i}.jpg");
            (await _http.PostAsync($"/v1/categories/{category}/images", form)).EnsureSuccessStatusCode();
        }
        await FitAsync(category);
    }

    /// <summary>Fits the images of a category.</summary>
    public async Task FitAsync(string category)
    {
        var job = await (
            await _http.PostAsync($"/v1/categories/{category}/fits", null)
        ).Content.ReadFromJsonAsync<JsonElement>();
        for (; ; await Task.Delay(200))
        {
            var state = (await _http.GetFromJsonAsync<JsonElement>($"/v1/jobs/{job.GetProperty("id").GetString()}"))
                .GetProperty("state")
                .GetString();
            if (state == "succeeded")
                return;
            if (state is "failed" or "cancelled")
                throw new InvalidOperationException($"The fit {state}.");
        }
    }

    /// <summary>Creates a category or changes its settings.</summary>
    public async Task PutAsync(string category, object settings) =>
        (await _http.PutAsJsonAsync($"/v1/categories/{category}", settings)).EnsureSuccessStatusCode();

    private async Task WaitUntilListeningAsync()
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var answer = await _http.GetAsync("/health/live");
                return;
            }
            catch (HttpRequestException) when (tries < 600 && !_process.HasExited)
            {
                await Task.Delay(100);
            }
        }
    }
}
