using System.Net.Http.Json;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The service below a path of its proxy, by its setting or by what a known proxy says.</summary>
public sealed class PathPrefixTests(ProxiedService proxied) : IClassFixture<ProxiedService>
{
    private const string Prefix = "/lines/padim";

    [Theory]
    [InlineData("")]
    [InlineData(Prefix)]
    public async Task With_the_setting_every_address_in_an_answer_has_the_prefix(string passedOn)
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("PathBase", Prefix), ("JobWorkers", 0));
        await AssertPrefixedAsync(service.Http, passedOn);
    }

    [Theory]
    [InlineData("")]
    [InlineData(Prefix)]
    public async Task A_known_proxy_states_the_prefix(string passedOn)
    {
        using var http = Callers.From("127.0.0.1", proxied.Service.Http.BaseAddress!);
        http.DefaultRequestHeaders.Add("X-Api-Key", proxied.Key);
        http.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        http.DefaultRequestHeaders.Add("X-Forwarded-Prefix", $"{Prefix}/");
        await AssertPrefixedAsync(http, passedOn);
    }

    [Theory]
    [InlineData("127.0.0.7", Prefix)]
    [InlineData("127.0.0.1", "//evil.example")]
    [InlineData("127.0.0.1", "/a/../b")]
    [InlineData("127.0.0.1", "/v1")]
    [InlineData("127.0.0.1", "https://evil.example")]
    public async Task What_nobody_known_says_and_what_is_no_path_is_ignored(string peer, string prefix)
    {
        using var http = Callers.From(peer, proxied.Service.Http.BaseAddress!);
        http.DefaultRequestHeaders.Add("X-Api-Key", proxied.Key);
        http.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        http.DefaultRequestHeaders.Add("X-Forwarded-Prefix", prefix);
        var url = $"/v1/categories/{proxied.NewName()}";
        using var made = await http.PutAsJsonAsync(url, CategoryClient.SmallSettings);
        Assert.Equal((201, url), ((int)made.StatusCode, made.Headers.Location?.OriginalString));
        var missing = await (await http.GetAsync("/v1/nowhere")).ProblemAsync(404, "route_not_found");
        Assert.Equal("/v1/nowhere", missing.Text("instance"));
    }

    [Fact]
    public async Task The_setting_decides_where_a_proxy_says_otherwise()
    {
        using var data = new TempDirectory();
        await using (var first = await RunningService.StartAsync(data.Path))
            await first.KeyAsync(AccessScope.Admin);
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("PathBase", Prefix),
            ("KnownProxies:0", "127.0.0.1"),
            ("JobWorkers", 0)
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/nowhere");
        request.Headers.Add("X-Forwarded-Prefix", "/other");
        var problem = await (await service.Http.SendAsync(request)).ProblemAsync(404, "route_not_found");
        Assert.Equal($"{Prefix}/v1/nowhere", problem.Text("instance"));
    }

    [Theory]
    [InlineData("padim")]
    [InlineData("/padim/")]
    [InlineData("/")]
    [InlineData("/a//b")]
    [InlineData("/a/..")]
    [InlineData("/a b")]
    [InlineData("/v1")]
    [InlineData("/swagger/x")]
    [InlineData("https://line.example/padim")]
    public async Task What_is_no_prefix_stops_the_start(string prefix)
    {
        using var data = new TempDirectory();
        var refused = await Assert.ThrowsAnyAsync<Exception>(() =>
            RunningService.StartAsync(data.Path, ("PathBase", prefix))
        );
        Assert.Contains("PathBase", refused.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Walks along everything that names an address.</summary>
    /// <param name="http">A client of the service.</param>
    /// <param name="passedOn">The part of the prefix that reaches the service in paths.</param>
    private async Task AssertPrefixedAsync(HttpClient http, string passedOn)
    {
        var category = $"/v1/categories/{proxied.NewName()}";
        using var made = await http.PutAsJsonAsync(passedOn + category, CategoryClient.SmallSettings);
        await made.JsonAsync(201);
        Assert.Equal(Prefix + category, made.Headers.Location?.OriginalString);
        Assert.True(made.Headers.CacheControl!.NoStore);

        await (
            await http.PostAsync(
                $"{passedOn}{category}/images",
                CategoryClient.Form(("files", "0.bmp", Parts.Good(0)), ("files", "1.bmp", Parts.Good(1)))
            )
        ).JsonAsync(200);
        using var started = await http.PostAsync($"{passedOn}{category}/fits", null);
        var job = (await started.JsonAsync(202)).Text("id");
        Assert.Equal($"{Prefix}/v1/jobs/{job}", started.Headers.Location?.OriginalString);
        using var cancelled = await http.DeleteAsync($"{passedOn}/v1/jobs/{job}");
        Assert.Equal($"{Prefix}/v1/jobs/{job}", cancelled.Headers.Location?.OriginalString);
        using var events = await http.GetAsync($"{passedOn}/v1/jobs/{job}/events");
        Assert.Contains(job, await events.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var missing = await (await http.GetAsync($"{passedOn}/v1/categories/none")).ProblemAsync(
            404,
            "category_not_found"
        );
        Assert.Equal($"{Prefix}/v1/categories/none", missing.Text("instance"));

        var document = await http.GetJsonAsync($"{passedOn}/swagger/v1/swagger.json");
        Assert.Equal(Prefix, document.Items("servers").Single().Text("url"));
        using var page = await http.GetAsync($"{passedOn}/swagger/index.html");
        Assert.Contains(
            "script-src",
            page.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
        var script = await http.GetStringAsync($"{passedOn}/swagger/index.js");
        Assert.Contains("v1/swagger.json", script, StringComparison.Ordinal);
        Assert.DoesNotContain("/swagger/v1", script, StringComparison.Ordinal);
        Assert.Equal("ok", (await http.GetJsonAsync($"{passedOn}/health/live")).Text("status"));
    }
}
