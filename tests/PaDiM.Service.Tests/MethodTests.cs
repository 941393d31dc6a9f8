using System.Net;
using Microsoft.AspNetCore.Routing;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>HEAD, OPTIONS, and methods and content types that an operation does not take.</summary>
public sealed class MethodTests(SharedService shared)
{
    [Fact]
    public void Every_route_that_answers_get_answers_head()
    {
        var methods = shared
            .Service.Get<EndpointDataSource>()
            .Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
            .ToArray();
        Assert.NotEmpty(methods);
        Assert.All(methods, served => Assert.Equal(served.Contains("GET"), served.Contains("HEAD")));
    }

    [Fact]
    public async Task Head_has_the_headers_of_get_and_no_body()
    {
        var category = await shared.FittedAsync();
        var image = (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items()[0].Text("id");
        foreach (
            var url in new[]
            {
                "/health/live",
                "/health/ready",
                "/health/score",
                "/metrics",
                "/v1/system",
                category.Url,
                $"{category.Url}/images",
                $"{category.Url}/images/{image}",
                $"{category.Url}/images/{image}/thumbnail",
                $"{category.Url}/models/1/export",
                $"{category.Url}/models/1/export?format=onnx",
                "/swagger/index.html",
                "/swagger/v1/swagger.json",
            }
        )
        {
            using var get = await shared.Http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
            using var head = await HeadAsync(url);
            Assert.Equal((url, get.StatusCode), (url, head.StatusCode));
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
            Assert.Equal(Headers(get), Headers(head));
        }
    }

    [Fact]
    public async Task Head_of_what_is_not_there_has_the_status_of_get()
    {
        foreach (var url in new[] { "/v1/nowhere", "/v1/categories/nothing", "/v1/categories/nothing/images/1" })
        {
            using var head = await HeadAsync(url);
            Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
            Assert.Equal("application/problem+json", head.Content.Headers.ContentType?.MediaType);
        }
    }

    [Fact]
    public async Task Head_of_a_jobs_events_does_not_wait_for_the_job()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 2);
        var job = await category.StartFitAsync();
        using var head = await HeadAsync($"/v1/jobs/{job}/events");
        Assert.Equal("text/event-stream", head.Content.Headers.ContentType?.MediaType);
        await shared.Http.FinishedAsync(job);
    }

    [Theory]
    [InlineData("/v1/categories/part/score", "OPTIONS, POST")]
    [InlineData("/v1/categories/part", "DELETE, GET, HEAD, OPTIONS, PUT")]
    [InlineData("/v1/keys/1", "DELETE, GET, HEAD, OPTIONS")]
    [InlineData("/health/live", "GET, HEAD, OPTIONS")]
    public async Task Options_tells_what_an_address_takes_and_another_method_is_refused_with_it(
        string url,
        string allowed
    )
    {
        using var options = await shared.Http.SendAsync(new HttpRequestMessage(HttpMethod.Options, url));
        Assert.Equal(HttpStatusCode.NoContent, options.StatusCode);
        Assert.Subset(options.Content.Headers.Allow.ToHashSet(), allowed.Split(", ").ToHashSet());
        using var refused = await shared.Http.SendAsync(new HttpRequestMessage(new HttpMethod("BREW"), url));
        Assert.Equal(options.Content.Headers.Allow, refused.Content.Headers.Allow);
        var problem = await refused.ProblemAsync(405, "method_not_allowed");
        Assert.Contains("BREW", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_of_no_address_is_not_found() =>
        await (await shared.Http.SendAsync(new HttpRequestMessage(HttpMethod.Options, "/v1/nowhere"))).ProblemAsync(
            404,
            "route_not_found"
        );

    [Theory]
    [InlineData("POST", "score", "application/json", "image/png")]
    [InlineData("POST", "score", "text/plain", "multipart/form-data")]
    [InlineData("POST", "images", "application/json", "image/png")]
    [InlineData("POST", "score/batch", "application/json", "multipart/form-data with files in the field 'files'")]
    [InlineData("POST", "score/batch", "image/png", "multipart/form-data with files in the field 'files'")]
    [InlineData("PUT", "ignore-mask", "application/json", "image/png")]
    [InlineData("POST", "models/import", "application/json", "application/octet-stream")]
    [InlineData("PUT", "", "image/png", "send application/json.")]
    [InlineData("POST", "fits", "text/plain", "send application/json.")]
    [InlineData("PATCH", "threshold", "application/x-www-form-urlencoded", "send application/json.")]
    public async Task A_content_type_that_an_operation_does_not_read_is_told_what_it_reads(
        string method,
        string path,
        string sent,
        string told
    )
    {
        var category = await shared.NewCategoryAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{category.Url}/{path}".TrimEnd('/'))
        {
            Content = CategoryClient.Raw("{}"u8.ToArray(), sent),
        };
        var detail = (await (await shared.Http.SendAsync(request)).ProblemAsync(415, "unsupported_media_type")).Text(
            "detail"
        );
        Assert.StartsWith($"The content type '{sent}' is not supported here; send ", detail, StringComparison.Ordinal);
        Assert.Contains(told, detail, StringComparison.Ordinal);
        Assert.Equal(1, detail.Split(sent).Length - 1);
    }

    [Theory]
    [InlineData("*/*;q=0.1", "application/json")]
    [InlineData("application/json;charset=utf-8", "application/json")]
    [InlineData("text/html, application/xhtml+xml, */*;q=0.8", "application/json")]
    [InlineData("image/*;q=0.5, application/json;q=0.4", "image/png")]
    public async Task What_a_client_accepts_is_read_as_the_standard_says(string accepted, string answered)
    {
        var category = await shared.FittedAsync();
        var answer = await category.SendScoreAsync(Parts.Good(1), accept: accepted);
        Assert.Equal((200, answered), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
    }

    private Task<HttpResponseMessage> HeadAsync(string url) =>
        shared.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Head, url),
            HttpCompletionOption.ResponseHeadersRead,
            new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token
        );

    /// <summary>The headers of an answer, apart from those that differ between any two.</summary>
    private static string[] Headers(HttpResponseMessage answer) =>
        [
            .. answer
                .Headers.Concat(answer.Content.Headers)
                .Where(header => header.Key is not ("Date" or "X-Request-ID" or "Transfer-Encoding"))
                .Select(header => $"{header.Key}: {string.Join(", ", header.Value)}")
                .Order(StringComparer.Ordinal),
        ];
}
