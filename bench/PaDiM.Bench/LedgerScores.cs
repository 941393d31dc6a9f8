using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using PaDiM.Bench.Measuring;

namespace PaDiM.Bench;

/// <summary>Measures what the ledger and a candidate in the shadow cost a score.</summary>
internal static class LedgerScores
{
    private const int Rounds = 40,
        ScoresPerRound = 25;

    /// <summary>
    /// Scores the same images in turn by a category that keeps everything, by one that also has a candidate in the shadow,
    /// and by one that keeps nothing.
    /// </summary>
    public static async Task MeasureAsync(WebApplication app)
    {
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var images = Enumerable.Range(0, 12).Select(CreateImage).ToArray();
        var times = new Dictionary<string, List<double>>();
        foreach (var (name, keep) in new[] { ("kept", "all"), ("shadowed", "all"), ("not-kept", "none") })
        {
            times[name] = [];
            await SendAsync(
                http.PutAsJsonAsync($"/v1/categories/{name}", new { inspections = new { keep, images = "all" } })
            );
            foreach (var image in images)
                await SendAsync(http.PostAsync($"/v1/categories/{name}/images", ToContent(image)));
            await FitAsync(http, name);
        }
        await FitAsync(http, "shadowed");
        await SendAsync(http.PutAsJsonAsync("/v1/categories/shadowed/shadow", new { version = 1 }));
        var clock = new Stopwatch();
        for (var round = -2; round < Rounds; round++)
            foreach (var (name, list) in times)
                for (var k = 0; k < ScoresPerRound; k++)
                {
                    using var content = ToContent(images[k % images.Length]);
                    clock.Restart();
                    await SendAsync(http.PostAsync($"/v1/categories/{name}/score", content));
                    if (round >= 0)
                        list.Add(clock.Elapsed.TotalMilliseconds);
                }
        var table = new ReportTable("scores", "p50, ms", "p99, ms");
        foreach (var (name, list) in times)
        {
            list.Sort();
            table.Add([name, $"{Quantile(list, 0.5):f2}", $"{Quantile(list, 0.99):f2}"]);
        }
        table.Print(
            $"{Rounds * ScoresPerRound} scores with the ledger, with a shadow beside it, and with neither, in turn:"
        );
        var ratio = Quantile(times["kept"], 0.99) / Quantile(times["not-kept"], 0.99);
        Console.WriteLine($"p99 with the ledger / without: {ratio:f3}");
        ratio = Quantile(times["shadowed"], 0.99) / Quantile(times["kept"], 0.99);
        Console.WriteLine($"p99 with a candidate in the shadow / without: {ratio:f3}");
        Console.WriteLine(await http.GetStringAsync("/v1/categories/shadowed/shadow"));
    }

    private static async Task FitAsync(HttpClient http, string category)
    {
        var job = (await SendAsync(http.PostAsync($"/v1/categories/{category}/fits", null)))!["id"];
        while ((string?)(await http.GetFromJsonAsync<JsonNode>($"/v1/jobs/{job}"))!["state"] != "succeeded")
            await Task.Delay(200);
    }

    private static double Quantile(List<double> sorted, double share) =>
        sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];

    private static async Task<JsonNode?> SendAsync(Task<HttpResponseMessage> sending)
    {
        using var response = await sending;
        var body = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(body) : throw new HttpRequestException(body);
    }

    private static ByteArrayContent ToContent(byte[] image) =>
        new(image) { Headers = { ContentType = new MediaTypeHeaderValue("image/x-portable-pixmap") } };

    /// <summary>Creates a gradient with a little noise, as a portable pixmap.</summary>
    private static byte[] CreateImage(int seed)
    {
        const int side = 256;
        var random = new Random(seed);
        var image = new byte[15 + 3 * side * side];
        "P6\n256 256\n255\n"u8.CopyTo(image);
        for (var k = 0; k < 3 * side * side; k++)
            image[15 + k] = (byte)(k / 3 % side / 2 + 40 + random.Next(12));
        return image;
    }
}
