using System.Net;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Web pages on other addresses, as browsers ask for them.</summary>
public sealed class CrossOriginTests(SharedService shared)
{
    private const string Page = "https://line.example";

    [Fact]
    public async Task By_default_no_page_of_another_site_may_read_anything()
    {
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Options })
        {
            using var answer = await SendAsync(shared.Http, method, "/health/live", Page);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task Pages_of_the_listed_origins_may_call_and_read_everything()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("AllowedOrigins:0", Page),
            ("AllowedOrigins:1", "http://localhost:5173"),
            ("JobWorkers", 0)
        );
        var (key, _) = await service.KeyAsync(AccessScope.Train);
        var category = service.Category("part").Url;

        // A preflight carries no key.
        using var preflight = await SendAsync(service.Http, HttpMethod.Options, category, Page, "PUT");
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(Page, Header(preflight, "Access-Control-Allow-Origin"));
        Assert.Contains("PUT", Header(preflight, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Equal("authorization,content-type", Header(preflight, "Access-Control-Allow-Headers"));

        using var refused = await SendAsync(service.Http, HttpMethod.Put, category, Page);
        await refused.ProblemAsync(401, "unauthenticated");
        Assert.Equal(Page, Header(refused, "Access-Control-Allow-Origin"));

        using var boss = service.With(key);
        using var made = await SendAsync(boss, HttpMethod.Put, category, "http://localhost:5173");
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal("http://localhost:5173", Header(made, "Access-Control-Allow-Origin"));
        var exposed = Header(made, "Access-Control-Expose-Headers").Split(',');
        Assert.Superset(
            ResultHeaders.Names.Concat(["Location", "Retry-After", "ETag", "X-Request-Id"]).ToHashSet(),
            exposed.ToHashSet()
        );

        foreach (var origin in new[] { "https://evil.example", "http://line.example", $"{Page}.evil.example", "null" })
        {
            using var other = await SendAsync(boss, HttpMethod.Get, category, origin);
            Assert.False(other.Headers.Contains("Access-Control-Allow-Origin"));
            using var asked = await SendAsync(boss, HttpMethod.Options, category, origin, "PUT");
            Assert.False(asked.Headers.Contains("Access-Control-Allow-Origin"));
        }
        foreach (var answer in new[] { preflight, refused, made })
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task An_answer_to_a_failure_can_be_read_too()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("AllowedOrigins", $"{Page}, http://a:1"));
        using var bad = await SendAsync(service.Http, HttpMethod.Get, "/v1/categories?limit=x", Page);
        // A listed page counts as one of the service's own, which is open to this machine.
        await bad.ProblemAsync(400, "invalid_request");
        Assert.Equal(Page, Header(bad, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Every_origin_is_allowed_only_on_request_and_opens_nothing()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("AllowedOrigins:0", "*"));
        using var answer = await SendAsync(service.Http, HttpMethod.Get, "/v1/categories", "https://evil.example");
        await answer.ProblemAsync(401, "unauthenticated");
        Assert.Equal("*", Header(answer, "Access-Control-Allow-Origin"));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData("line.example")]
    [InlineData("https://line.example/")]
    [InlineData("https://line.example/app")]
    [InlineData("https://line.example:443")]
    [InlineData("https://*.example")]
    [InlineData("https://user@line.example")]
    [InlineData("ftp://line.example")]
    [InlineData("null")]
    [InlineData("https://line.example,*")]
    public async Task What_is_no_origin_stops_the_start(string origin)
    {
        using var data = new TempDirectory();
        var refused = await Assert.ThrowsAnyAsync<Exception>(() =>
            RunningService.StartAsync(data.Path, ("AllowedOrigins", origin))
        );
        Assert.Contains("AllowedOrigins", refused.ToString(), StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient http,
        HttpMethod method,
        string url,
        string origin,
        string? wanted = null
    )
    {
        using var request = new HttpRequestMessage(method, url) { Headers = { { "Origin", origin } } };
        if (wanted is not null)
        {
            request.Headers.Add("Access-Control-Request-Method", wanted);
            request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        }
        return await http.SendAsync(request);
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        string.Join(",", answer.Headers.GetValues(name));
}
