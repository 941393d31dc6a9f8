using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace PaDiM.Service.TestSupport;

/// <summary>What a client does with one category.</summary>
internal sealed class CategoryClient(HttpClient http, string name)
{
    /// <summary>Quick to fit and to score.</summary>
    public static object SmallSettings { get; } = new
    {
        imageSize = 64,
        reduction = new { dimensions = 16 },
        blurSigma = 2,
    };

    public HttpClient Http { get; } = http;

    public string Name { get; } = name;

    public string Url { get; } = $"/v1/categories/{name}";

    public async Task CreateAsync(object? settings = null) =>
        await (await Http.PutAsJsonAsync(Url, settings ?? SmallSettings)).JsonAsync(201);

    /// <summary>Creates the category and fits it to so many good parts.</summary>
    public async Task CreateFittedAsync(int parts, object? settings = null)
    {
        await CreateAsync(settings);
        await UploadPartsAsync(0, parts);
        await FitAsync();
    }

    /// <summary>Uploads files as one form.</summary>
    public Task<HttpResponseMessage> UploadAsync(
        IEnumerable<(string Name, byte[] Bytes)> files,
        string query = "",
        IEnumerable<(string Name, byte[] Bytes)>? masks = null
    ) =>
        Http.PostAsync(
            $"{Url}/images{query}",
            Form([
                .. files.Select(file => ("files", file.Name, file.Bytes)),
                .. (masks ?? []).Select(mask => ("masks", mask.Name, mask.Bytes)),
            ])
        );

    /// <summary>Uploads good parts and gives their identifiers.</summary>
    public async Task<string[]> UploadPartsAsync(int first, int count)
    {
        var uploaded = await (
            await UploadAsync(Enumerable.Range(first, count).Select(seed => ($"part-{seed}.bmp", Parts.Good(seed))))
        ).JsonAsync(200);
        return [.. uploaded.Items("accepted").Select(image => image.Text("id"))];
    }

    /// <summary>Uploads one raw image.</summary>
    public Task<HttpResponseMessage> UploadRawAsync(byte[] bytes, string? mediaType, string query = "") =>
        Http.PostAsync($"{Url}/images{query}", Raw(bytes, mediaType));

    /// <summary>Starts a fit and gives the job's identifier.</summary>
    public async Task<string> StartFitAsync(object? request = null) =>
        (
            await (await Http.PostAsync($"{Url}/fits", request is null ? null : JsonContent.Create(request))).JsonAsync(
                202
            )
        ).Text("id");

    /// <summary>Fits, waits for success, and gives the published version.</summary>
    public async Task<int> FitAsync(object? request = null)
    {
        var job = await Http.FinishedAsync(await StartFitAsync(request));
        Assert.True(job.Text("state") == "succeeded", job.ToJsonString());
        return job["modelVersion"]!.GetValue<int>();
    }

    public Task<HttpResponseMessage> SendScoreAsync(
        byte[] bytes,
        string query = "",
        string mediaType = "image/bmp",
        string? accept = null
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{Url}/score{query}")
        {
            Content = Raw(bytes, mediaType),
        };
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        return Http.SendAsync(request);
    }

    public async Task<JsonNode> ScoreAsync(byte[] bytes, string query = "") =>
        await (await SendScoreAsync(bytes, query)).JsonAsync(200);

    public Task<HttpResponseMessage> PatchThresholdAsync(object body) =>
        Http.PatchAsJsonAsync($"{Url}/threshold", body);

    public static HttpContent Raw(byte[] bytes, string? mediaType)
    {
        var content = new ByteArrayContent(bytes);
        if (mediaType is not null)
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
        return content;
    }

    public static MultipartFormDataContent Form(params (string Field, string Name, byte[] Bytes)[] files)
    {
        var form = new MultipartFormDataContent();
        foreach (var (field, fileName, bytes) in files)
            form.Add(new ByteArrayContent(bytes), field, fileName);
        return form;
    }
}
