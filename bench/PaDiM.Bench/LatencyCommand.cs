using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Imaging;

namespace PaDiM.Bench;

/// <summary>
/// One image at a time: the backbone alone, decoding with the backbone, and the whole request over HTTP, in turn within one run, so that a busy machine
/// slows all of them alike.
/// </summary>
internal static class LatencyCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "Folder of images of good parts." };
        var backbone = new Option<string>("--backbone") { Description = "Backbone to measure.", DefaultValueFactory = _ => BackboneRegistry.DefaultName };
        var directory = new Option<string>("--backbones") { Description = "Folder of more backbones.", DefaultValueFactory = _ => BackboneRegistry.BuiltInDirectory };
        var rounds = new Option<int>("--rounds") { Description = "Images measured.", DefaultValueFactory = _ => 200 };
        var command = new Command("latency", "Milliseconds an image at concurrency 1, over HTTP and for the backbone alone.") { folder, backbone, directory, rounds };
        command.SetAction((arguments, cancellationToken) =>
            RunAsync(arguments.GetValue(folder)!, arguments.GetValue(backbone)!, Path.GetFullPath(arguments.GetValue(directory)!), arguments.GetValue(rounds), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string folder, string name, string directory, int rounds, CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("padim-bench-");
        using var service = Start(data.FullName, directory, out var address);
        try
        {
            using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(10) };
            var images = Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
            await FitAsync(http, name, images, cancellationToken);

            using var registry = new BackboneRegistry([directory], BackboneRuntime.Create(DevicePreference.Cpu));
            var backbone = registry.Open(name);
            using var network = new RawBackbone(backbone);
            var decoder = new ImageDecoder();
            var preprocessing = new Preprocessing(new FitSettings(), backbone.Manifest.Normalisation);
            var prepared = new float[3 * preprocessing.PreparedSize.Positions];
            var (alone, decoded, whole, stages) = (new List<double>(), new List<double>(), new List<double>(), new List<double[]>());
            for (var i = -20; i < rounds; i++)
            {
                var bytes = images[(i + 20) % images.Length];
                var prepare = Time(() => preprocessing.Prepare(((DecodeResult.Decoded)decoder.Decode(bytes)).Image, prepared));
                var embed = Time(() => network.Run(prepared, 1, preprocessing.PreparedSize));
                var clock = Stopwatch.StartNew();
                var timings = await ScoreAsync(http, bytes, cancellationToken);
                var request = clock.Elapsed.TotalMilliseconds;
                if (i < 0) continue;
                alone.Add(embed);
                decoded.Add(prepare + embed);
                whole.Add(request);
                stages.Add(timings);
            }
            Report(name, alone, decoded, whole, stages);
            return 0;
        }
        finally
        {
            service.Kill(entireProcessTree: true);
            await service.WaitForExitAsync(CancellationToken.None);
            data.Delete(recursive: true);
        }
    }

    private static Process Start(string data, string directory, out Uri address)
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            address = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}");
        }
        var start = new ProcessStartInfo("dotnet", [BuiltPrograms.Service]) { RedirectStandardOutput = true };
        start.Environment["ASPNETCORE_URLS"] = address.ToString();
        start.Environment["Padim__DataDirectory"] = data;
        start.Environment["Padim__BackboneDirectories__0"] = directory;
        start.Environment["Serilog__MinimumLevel__Default"] = "Warning";
        return Process.Start(start)!;
    }

    private static async Task FitAsync(HttpClient http, string backbone, byte[][] images, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                (await http.PutAsJsonAsync("/v1/categories/bench", new { backbone }, cancellationToken)).EnsureSuccessStatusCode();
                break;
            }
            catch (HttpRequestException) when (tries < 100)
            {
                await Task.Delay(100, cancellationToken);
            }
        }
        foreach (var chunk in images.Chunk(50))
        {
            using var form = new MultipartFormDataContent();
            for (var i = 0; i < chunk.Length; i++) form.Add(new ByteArrayContent(chunk[i]), "files", $"{i}.jpg");
            (await http.PostAsync("/v1/categories/bench/images", form, cancellationToken)).EnsureSuccessStatusCode();
        }
        var job = await (await http.PostAsync("/v1/categories/bench/fits", null, cancellationToken)).Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        for (; ; await Task.Delay(200, cancellationToken))
        {
            var state = (await http.GetFromJsonAsync<JsonElement>($"/v1/jobs/{job.GetProperty("id").GetString()}", cancellationToken)).GetProperty("state").GetString();
            if (state == "succeeded") return;
            if (state is "failed" or "cancelled") throw new InvalidOperationException($"The fit {state}.");
        }
    }

    private static async Task<double[]> ScoreAsync(HttpClient http, byte[] bytes, CancellationToken cancellationToken)
    {
        using var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
        using var response = (await http.PostAsync("/v1/categories/bench/score", body, cancellationToken)).EnsureSuccessStatusCode();
        var timings = (await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("timingsMs");
        return [.. Stages.Select(stage => timings.GetProperty(stage).GetDouble())];
    }

    private static readonly string[] Stages = ["queue", "decode", "embed", "distance", "postprocess", "total"];

    private static double Time(Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed.TotalMilliseconds;
    }

    private static void Report(string name, List<double> alone, List<double> decoded, List<double> whole, List<double[]> stages)
    {
        Console.WriteLine($"backbone {name}, 256 x 256, 100 dimensions, {Environment.ProcessorCount} cores, {whole.Count} images, concurrency 1");
        Console.WriteLine();
        Console.WriteLine("| what | p50, ms | p95, ms | p50 over backbone alone |");
        Console.WriteLine("|---|---|---|---|");
        Row("backbone alone", alone);
        Row("decode, resize and backbone", decoded);
        Row("whole request over HTTP", whole);
        for (var i = 0; i < Stages.Length; i++) Row($"— of it, in the service: {Stages[i]}", [.. stages.Select(timings => timings[i])]);

        void Row(string what, List<double> times) => Console.WriteLine(FormattableString.Invariant(
            $"| {what} | {Percentile(times, 0.5):f2} | {Percentile(times, 0.95):f2} | {Percentile(times, 0.5) / Percentile(alone, 0.5):f2} |"));
    }

    private static double Percentile(List<double> values, double share) => values.Order().ElementAt((int)(share * (values.Count - 1)));
}
