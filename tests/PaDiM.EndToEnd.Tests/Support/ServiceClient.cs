using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>The HTTP interface as a client would use it, nothing of the service's own code.</summary>
public sealed class ServiceClient(Uri address, HttpMessageHandler? handler = null) : IDisposable
{
    private const int FilesPerUpload = 50;

    /// <summary>Sends requests to the service.</summary>
    public HttpClient Http { get; } =
        new(handler ?? new SocketsHttpHandler()) { BaseAddress = address, Timeout = TimeSpan.FromMinutes(5) };

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var response = await Http.GetAsync("/health/ready");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public Task<JsonNode> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<JsonNode> PutAsync(string path, JsonNode body) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Put, path) { Content = JsonContent.Create(body) });

    /// <summary>Uploads images of good parts, many a request.</summary>
    public async Task UploadAsync(
        string category,
        IEnumerable<(string Name, byte[] Bytes)> files,
        string query = "?label=normal"
    )
    {
        foreach (var chunk in files.Chunk(FilesPerUpload))
        {
            using var form = new MultipartFormDataContent();
            foreach (var (name, bytes) in chunk)
                form.Add(new ByteArrayContent(bytes), "files", name);
            var answer = await SendAsync(
                new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{category}/images{query}") { Content = form }
            );
            Assert.Equal(chunk.Length, answer["accepted"]!.AsArray().Count);
            Assert.Empty(answer["rejected"]!.AsArray());
        }
    }

    /// <summary>Fits, and follows the job by its events until it has succeeded.</summary>
    /// <returns>The final state of the job.</returns>
    public async Task<JsonNode> FitAsync(string category)
    {
        var queued = await SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{category}/fits"));
        return await FollowAsync((string)queued["id"]!);
    }

    /// <summary>Follows a job by its events until it has succeeded.</summary>
    /// <returns>The final state of the job.</returns>
    public async Task<JsonNode> FollowAsync(string job)
    {
        using var response = await Http.GetAsync($"/v1/jobs/{job}/events", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        JsonNode? last = null;
        while (await lines.ReadLineAsync() is { } line)
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                last = JsonNode.Parse(line["data: ".Length..]);
        Assert.True(
            (string?)last?["state"] == "succeeded",
            $"The stream of events ended with {last?.ToJsonString() ?? "nothing"}."
        );
        return last!;
    }

    /// <summary>A category of synthetic parts with an active model.</summary>
    public async Task PrepareSyntheticAsync(string category)
    {
        await PutAsync($"/v1/categories/{category}", new JsonObject());
        await UploadAsync(
            category,
            Enumerable.Range(0, 12).Select(seed => ($"{seed:000}.bmp", SyntheticParts.Good(seed).ToBmp()))
        );
        await UploadAsync(
            category,
            [("scratch.bmp", SyntheticParts.Defective(40, DefectKind.Scratch).Image.ToBmp())],
            "?label=anomalous&defect=scratch"
        );
        await FitAsync(category);
    }

    /// <summary>Makes a category that inspects with the first version of another one, without a fit.</summary>
    public async Task CopyModelAsync(string from, string to)
    {
        await PutAsync($"/v1/categories/{to}", new JsonObject());
        var model = await Http.GetByteArrayAsync($"/v1/categories/{from}/models/1/export");
        await SendAsync(
            new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{to}/models/import?activate=true")
            {
                Content = new ByteArrayContent(model)
                {
                    Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") },
                },
            }
        );
    }

    /// <summary>Scores a part that has a name, at a station and of a lot.</summary>
    public Task<JsonNode> InspectAsync(string category, byte[] image, string part)
    {
        var request = Score(category, image, "application/json");
        request.Headers.Add("X-Part-Id", part);
        request.Headers.Add("X-Station-Id", "station-1");
        request.Headers.Add("X-Lot-Id", "lot-7");
        return SendAsync(request);
    }

    public Task<JsonNode> ScoreAsync(string category, byte[] image, string query = "") =>
        SendAsync(Score(category, image, "application/json", query));

    /// <summary>The score and the map that it is the maximum of.</summary>
    public async Task<(float Score, NumpyArray Map)> ScoreMapAsync(string category, byte[] image)
    {
        using var response = await Http.SendAsync(Score(category, image, "application/x-npy"));
        await EnsureSucceededAsync(response);
        var score = float.Parse(response.Headers.GetValues("X-Padim-Score").Single(), CultureInfo.InvariantCulture);
        return (score, NumpyArray.Parse(await response.Content.ReadAsByteArrayAsync()));
    }

    public async Task<byte[]> ScoreOverlayAsync(string category, byte[] image)
    {
        using var response = await Http.SendAsync(Score(category, image, "image/png"));
        await EnsureSucceededAsync(response);
        return await response.Content.ReadAsByteArrayAsync();
    }

    public async Task<JsonNode> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request);
        await EnsureSucceededAsync(response);
        return JsonNode.Parse(await response.Content.ReadAsStreamAsync())!;
    }

    public void Dispose() => Http.Dispose();

    private static HttpRequestMessage Score(string category, byte[] image, string accept, string query = "")
    {
        var content = new ByteArrayContent(image) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } };
        return new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{category}/score{query}")
        {
            Content = content,
            Headers = { Accept = { new MediaTypeWithQualityHeaderValue(accept) } },
        };
    }

    private static async Task EnsureSucceededAsync(HttpResponseMessage response) =>
        Assert.True(
            response.IsSuccessStatusCode,
            $"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri} answered "
                + $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}"
        );
}
