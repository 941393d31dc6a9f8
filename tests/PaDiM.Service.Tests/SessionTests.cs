using System.Net;
using System.Net.Http.Json;
using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Browsers that have signed in with a key.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private const int FailedAttempts = 15;
    private const string Session = "/v1/session",
        OwnPage = "X-Padim-Console";
    private readonly TempDirectory _data = new();
    private readonly ManualTime _time = new();
    private RunningService _service = null!;

    public async ValueTask InitializeAsync() =>
        _service = await RunningService.StartByAsync(
            _time,
            _data.Path,
            ("JobWorkers", 0),
            ("SessionHours", 8),
            ("FailedAttemptsPerMinute", FailedAttempts)
        );

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task Without_keys_everyone_on_this_machine_may_do_everything_without_signing_in()
    {
        var session = await _service.Http.GetJsonAsync(Session);
        Assert.False(session["keyRequired"]!.GetValue<bool>());
        Assert.Equal("admin", session.Text("scope"));
    }

    [Fact]
    public async Task People_who_sign_in_may_do_what_their_key_may_do()
    {
        var (key, id) = await _service.KeyAsync(AccessScope.Train, ["flange"], name: "line-1");
        using var browser = Browser();
        Assert.Null((await browser.GetJsonAsync(Session))["scope"]);
        await (await browser.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");

        var session = await (await browser.PostAsJsonAsync(Session, new { key })).JsonAsync(200);
        Assert.Equal(("line-1", "train"), (session.Text("name"), session.Text("scope")));
        Assert.Equal(["flange"], session["categories"]!.AsArray().Select(name => (string)name!));
        Assert.True((await browser.GetJsonAsync(Session))["canSignOut"]!.GetValue<bool>());

        await (await browser.PutAsJsonAsync("/v1/categories/flange", CategoryClient.SmallSettings)).JsonAsync(201);
        await (await browser.PutAsJsonAsync("/v1/categories/bolt", CategoryClient.SmallSettings)).ProblemAsync(
            403,
            "category_forbidden"
        );
        await (await browser.DeleteAsync("/v1/categories/flange")).ProblemAsync(403, "forbidden");
        using var admin = _service.With((await _service.KeyAsync(AccessScope.Admin)).Text);
        var entry = (await admin.GetJsonAsync("/v1/audit"))["items"]![0]!;
        Assert.Equal(("line-1", id, "category.put"), (entry.Text("actor"), entry.Text("keyId"), entry.Text("action")));

        Assert.Equal(204, (int)(await browser.DeleteAsync(Session)).StatusCode);
        await (await browser.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task The_cookie_does_not_hold_the_key_and_no_script_and_no_other_site_gets_it()
    {
        var (key, _) = await _service.KeyAsync(AccessScope.Score);
        using var plain = new HttpClient { BaseAddress = _service.Http.BaseAddress };
        var answer = await plain.PostAsJsonAsync(Session, new { key });
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.DoesNotContain(key, cookie, StringComparison.Ordinal);
        Assert.DoesNotContain(key[^43..], cookie, StringComparison.Ordinal);
        foreach (var part in new[] { "httponly", "samesite=strict", "path=/", "max-age=28800" })
            Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("domain", cookie, StringComparison.OrdinalIgnoreCase);
        // Over plain HTTP, a browser would not send it back.
        Assert.DoesNotContain("secure", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("GET", "same-origin", false, 200)]
    [InlineData("GET", "none", false, 200)]
    [InlineData("GET", null, false, 200)]
    [InlineData("GET", "same-site", true, 401)]
    [InlineData("GET", "cross-site", true, 401)]
    [InlineData("PUT", "same-origin", true, 201)]
    [InlineData("PUT", null, true, 201)]
    [InlineData("PUT", null, false, 401)]
    [InlineData("PUT", "same-origin", false, 401)]
    [InlineData("PUT", "none", true, 401)]
    [InlineData("PUT", "same-site", true, 401)]
    [InlineData("PUT", "cross-site", true, 401)]
    public async Task The_cookie_counts_only_for_pages_of_the_service(
        string method,
        string? site,
        bool header,
        int expected
    )
    {
        var (key, _) = await _service.KeyAsync(AccessScope.Train);
        var cookies = new CookieContainer();
        using var browser = new HttpClient(new HttpClientHandler { CookieContainer = cookies })
        {
            BaseAddress = _service.Http.BaseAddress,
        };
        await (await browser.PostAsJsonAsync(Session, new { key })).JsonAsync(200);
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/categories/flange");
        if (method == "GET")
            request.RequestUri = new Uri("/v1/categories", UriKind.Relative);
        else
            request.Content = JsonContent.Create(CategoryClient.SmallSettings);
        if (site is not null)
            request.Headers.Add("Sec-Fetch-Site", site);
        if (header)
            request.Headers.Add(OwnPage, "1");
        Assert.Equal(expected, (int)(await browser.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task A_session_ends_with_its_key_and_after_its_hours()
    {
        var (key, id) = await _service.KeyAsync(AccessScope.Score);
        using var browser = Browser();
        await (await browser.PostAsJsonAsync(Session, new { key })).JsonAsync(200);
        await (await browser.GetAsync("/v1/categories")).JsonAsync(200);
        await _service.Get<KeyStore>().RevokeAsync(id, default);
        await (await browser.GetAsync("/v1/categories")).ProblemAsync(401, "key_revoked");
        Assert.Null((await browser.GetJsonAsync(Session))["scope"]);

        var (other, _) = await _service.KeyAsync(AccessScope.Score);
        var kept = SessionSeal.Seal(other, _time.GetUtcNow() + TimeSpan.FromHours(8));
        _time.Advance(TimeSpan.FromHours(8) - TimeSpan.FromMinutes(1));
        Assert.Equal(200, await AskAsync(kept));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(401, await AskAsync(kept));
    }

    [Fact]
    public async Task What_was_not_sealed_here_opens_nothing()
    {
        var (key, id) = await _service.KeyAsync(AccessScope.Admin);
        var (other, otherId) = await _service.KeyAsync(AccessScope.Score);
        var sealedKey = SessionSeal.Seal(key, _time.GetUtcNow() + TimeSpan.FromHours(1));
        Assert.Equal(200, await AskAsync(sealedKey));
        var sealedOther = SessionSeal.Seal(other, _time.GetUtcNow() + TimeSpan.FromHours(1));
        string[] forged =
        [
            "",
            id,
            $"{id}.",
            $"{id}.AAAA",
            $"{id}.{new string('A', 120)}",
            $"{id}.%%%",
            $"{otherId}.{sealedKey.Split('.')[1]}",
            $"{id}.{sealedOther.Split('.')[1]}",
            $"000000000000.{sealedKey.Split('.')[1]}",
            sealedKey[..^2] + (sealedKey.EndsWith("AA", StringComparison.Ordinal) ? "BB" : "AA"),
            new string('x', 5000),
        ];
        foreach (var text in forged)
            Assert.Equal((text, 401), (text, await AskAsync(text)));
    }

    [Fact]
    public async Task Guessing_is_slowed_down()
    {
        await _service.KeyAsync(AccessScope.Admin);
        using var browser = Browser();
        for (var i = 0; i < FailedAttempts; i++)
            await (await browser.PostAsJsonAsync(Session, new { key = "padim_guess" })).ProblemAsync(
                401,
                "key_unknown"
            );
        var refused = await browser.PostAsJsonAsync(Session, new { key = "padim_guess" });
        Assert.NotNull(refused.Headers.RetryAfter);
        await refused.ProblemAsync(429, "rate_limited");
        await (await browser.PostAsJsonAsync(Session, new { })).ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task A_session_of_one_replica_counts_on_the_other()
    {
        var (key, _) = await _service.KeyAsync(AccessScope.Score);
        var sealedKey = SessionSeal.Seal(key, _time.GetUtcNow() + TimeSpan.FromHours(1));
        await using var other = await RunningService.StartByAsync(_time, _data.Path, ("JobWorkers", 0));
        Assert.Equal(200, await AskAsync(sealedKey, other));
    }

    private async Task<int> AskAsync(string cookie, RunningService? service = null)
    {
        using var plain = new HttpClient(new HttpClientHandler { UseCookies = false })
        {
            BaseAddress = (service ?? _service).Http.BaseAddress,
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/categories");
        request.Headers.Add("Cookie", $"padim_session={cookie}");
        return (int)(await plain.SendAsync(request)).StatusCode;
    }

    /// <summary>A browser that shows a page of the service.</summary>
    private HttpClient Browser()
    {
        var http = new HttpClient { BaseAddress = _service.Http.BaseAddress };
        http.DefaultRequestHeaders.Add(OwnPage, "1");
        http.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");
        return http;
    }
}
