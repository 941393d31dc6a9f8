using System.Net;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Browsers that sign in with an identity provider.</summary>
public sealed class ProviderSignInTests : IAsyncLifetime
{
    private const string Session = "/v1/session";
    private readonly TempDirectory _data = new();
    private readonly ManualTime _time = new();
    private TokenIssuer _issuer = null!;
    private RunningService _service = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TokenIssuer.StartAsync();
        _service = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        if (_issuer is not null)
            await _issuer.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task People_whom_the_provider_knows_may_do_what_their_token_says()
    {
        using var browser = new Browser(_service);
        Assert.True((await browser.GetAsync(Session))["provider"]!.GetValue<bool>());
        Assert.Null((await browser.GetAsync(Session))["scope"]);

        _issuer.SignedIn = _issuer.Token("openid train", categories: ["flange"]);
        Assert.Equal("/console/c/flange", await browser.SignInAsync("/console/c/flange"));
        var session = await browser.GetAsync(Session);
        Assert.Equal(("token:robot", "train"), (session.Text("name"), session.Text("scope")));
        Assert.Equal(["flange"], session["categories"]!.AsArray().Select(name => (string)name!));
        Assert.True(session["canSignOut"]!.GetValue<bool>());
        Assert.Equal(201, await browser.PutCategoryAsync("flange"));
        Assert.Equal(403, await browser.PutCategoryAsync("bolt"));
        using var admin = _service.With(_issuer.Token("admin"));
        Assert.Equal("token:robot", (await admin.GetJsonAsync("/v1/audit"))["items"]![0]!.Text("actor"));
    }

    [Fact]
    public async Task A_session_holds_on_every_replica_and_ends_after_its_hours()
    {
        _issuer.SignedIn = _issuer.Token("review");
        using var browser = new Browser(_service);
        await browser.SignInAsync();
        await _service.DisposeAsync();
        _service = await StartAsync();
        browser.Service = _service;
        Assert.Equal("review", (await browser.GetAsync(Session)).Text("scope"));

        _time.Advance(TimeSpan.FromHours(8) + TimeSpan.FromMinutes(1));
        Assert.Null((await browser.GetAsync(Session))["scope"]);
    }

    [Theory]
    [InlineData("https://elsewhere.example/")]
    [InlineData("//elsewhere.example/console")]
    [InlineData("/console//elsewhere.example")]
    [InlineData("/console/\\elsewhere.example")]
    [InlineData("/console.elsewhere")]
    [InlineData("/swagger")]
    [InlineData("")]
    public async Task A_sign_in_leads_to_a_page_of_the_console_and_nowhere_else(string to)
    {
        _issuer.SignedIn = _issuer.Token("score");
        using var browser = new Browser(_service);
        Assert.Equal("/console", await browser.SignInAsync(to));
    }

    [Fact]
    public async Task Who_has_no_rights_here_is_not_signed_in()
    {
        using var browser = new Browser(_service);
        _issuer.SignedIn = _issuer.Token("openid");
        Assert.Equal("/console?sign-in=no-rights", await browser.SignInAsync());
        _issuer.SignedIn = _issuer.Token(
            "train",
            categories: [.. Enumerable.Range(0, 300).Select(i => $"category-{i}")]
        );
        Assert.Equal("/console?sign-in=no-rights", await browser.SignInAsync());
        _issuer.SignedIn = _issuer.Token("admin", audience: "another-service");
        Assert.Equal("/console?sign-in=refused", await browser.SignInAsync());
        _issuer.SignedIn = _issuer.SignedByAnother();
        Assert.Equal("/console?sign-in=refused", await browser.SignInAsync());
        _issuer.SignedIn = null;
        Assert.Equal("/console?sign-in=refused", await browser.SignInAsync());
        Assert.Null((await browser.GetAsync(Session))["scope"]);
    }

    [Fact]
    public async Task An_answer_that_the_browser_did_not_ask_for_does_not_sign_in()
    {
        _issuer.SignedIn = _issuer.Token("admin");
        using var attacker = new Browser(_service);
        var answer = await attacker.AskProviderAsync("/console");
        // Somebody else's browser is led there.
        using var victim = new Browser(_service);
        Assert.Equal("/console?sign-in=refused", await victim.FollowAsync(answer));
        Assert.Equal("/console?sign-in=refused", await victim.FollowAsync("/console/signed-in?code=1&state=2"));
        Assert.Equal("/console?sign-in=refused", await victim.FollowAsync("/console/signed-in"));
        Assert.Null((await victim.GetAsync(Session))["scope"]);
    }

    [Fact]
    public async Task A_provider_that_is_away_is_said_and_keys_still_work()
    {
        var away = await TokenIssuer.StartAsync();
        var settings = away.BrowserOptions;
        await away.DisposeAsync();
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, [.. settings, ("JobWorkers", 0)]);
        using var browser = new Browser(service);
        Assert.Equal("/console?sign-in=unavailable", await browser.FollowAsync("/console/sign-in"));
        Assert.True((await browser.GetAsync(Session))["provider"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("Oidc:ClientId", "padim")]
    [InlineData("Oidc:ClientSecret", "secret-of-the-client")]
    public async Task Half_a_client_is_refused_at_the_start(string option, string value)
    {
        using var data = new TempDirectory();
        await Assert.ThrowsAnyAsync<Exception>(() =>
            RunningService.StartAsync(data.Path, [.. _issuer.Options, (option, value)])
        );
    }

    private Task<RunningService> StartAsync() =>
        RunningService.StartByAsync(
            _time,
            _data.Path,
            [.. _issuer.BrowserOptions, ("JobWorkers", 0), ("SessionHours", 8)]
        );

    /// <summary>Cookies, and one redirect after the other.</summary>
    private sealed class Browser : IDisposable
    {
        private readonly HttpClient _http = new(
            new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }
        );

        public Browser(RunningService service)
        {
            Service = service;
            _http.DefaultRequestHeaders.Add("X-Padim-Console", "1");
            _http.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");
        }

        public RunningService Service { get; set; }

        public async Task<System.Text.Json.Nodes.JsonNode> GetAsync(string path) => await _http.GetJsonAsync(At(path));

        public async Task<int> PutCategoryAsync(string name) =>
            (int)
                (
                    await _http.PutAsync(
                        At($"/v1/categories/{name}"),
                        System.Net.Http.Json.JsonContent.Create(CategoryClient.SmallSettings)
                    )
                ).StatusCode;

        public async Task<string> SignInAsync(string to = "/console") => await FollowAsync(await AskProviderAsync(to));

        /// <summary>Goes to the provider, and stops where it leads back to.</summary>
        public async Task<string> AskProviderAsync(string to) =>
            await FollowAsync(await FollowAsync($"/console/sign-in?to={Uri.EscapeDataString(to)}"));

        /// <summary>Gets where a page leads to, without the address of the service.</summary>
        public async Task<string> FollowAsync(string page)
        {
            using var answer = await _http.GetAsync(At(page));
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
            return answer.Headers.Location!.ToString();
        }

        public void Dispose() => _http.Dispose();

        private string At(string path) => new Uri(Service.Http.BaseAddress!, path).ToString();
    }
}
