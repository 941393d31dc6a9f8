using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Tokens of an identity provider beside keys.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private TokenIssuer _issuer = null!;
    private RunningService _service = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TokenIssuer.StartAsync();
        _service = await RunningService.StartAsync(
            _data.Path,
            [("JobWorkers", 0), ("FailedAttemptsPerMinute", 0), .. _issuer.Options]
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _issuer.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task A_token_opens_what_its_scopes_say()
    {
        await (await _service.Http.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
        Assert.Equal((200, 403, 403), await SeenAsync(_issuer.Token("score")));
        Assert.Equal((200, 200, 403), await SeenAsync(_issuer.Token("openid score train")));
        Assert.Equal((200, 200, 200), await SeenAsync(_issuer.Token(new[] { "profile", "admin" })));
        Assert.Equal((403, 403, 403), await SeenAsync(_issuer.Token("openid profile")));
        Assert.Equal((403, 403, 403), await SeenAsync(_issuer.Token(scope: null)));
        Assert.Equal((200, 200, 200), await SeenAsync((await _service.KeyAsync(AccessScope.Admin)).Text));

        async Task<(int Score, int Train, int Admin)> SeenAsync(string credential)
        {
            using var http = _service.With(credential);
            return (
                (int)(await http.GetAsync("/v1/categories")).StatusCode,
                (int)(await http.GetAsync("/v1/jobs")).StatusCode,
                (int)(await http.GetAsync("/v1/keys")).StatusCode
            );
        }
    }

    [Fact]
    public async Task A_token_that_is_not_right_opens_nothing()
    {
        var right = _issuer.Token("admin");
        await RefusedAsync(_issuer.Token("admin", expires: DateTime.UtcNow.AddMinutes(-5)), "token_expired");
        await RefusedAsync(_issuer.Token("admin", audience: "another"), "token_invalid");
        await RefusedAsync(_issuer.Token("admin", issuer: "https://idp.example"), "token_invalid");
        await RefusedAsync(_issuer.SignedByAnother(), "token_invalid");
        await RefusedAsync(_issuer.SignedWithPublicKey(), "token_invalid");
        await RefusedAsync(TokenIssuer.Unsigned(right), "token_invalid");
        await RefusedAsync(right[..^5] + "AAAAA", "token_invalid");
        await RefusedAsync("not-a-token", "token_invalid");
        using var good = _service.With(right);
        await (await good.GetAsync("/v1/keys")).JsonAsync(200);

        async Task RefusedAsync(string token, string code)
        {
            using var http = _service.With(token);
            await (await http.GetAsync("/v1/keys")).ProblemAsync(401, code);
        }
    }

    [Fact]
    public async Task A_token_may_be_for_some_categories_and_names_the_actor()
    {
        using var http = _service.With(_issuer.Token("train", categories: ["flange"]));
        var flange = new CategoryClient(http, "flange");
        await flange.CreateAsync();
        await (await http.GetAsync("/v1/categories/bolt")).ProblemAsync(403, "category_forbidden");
        var patched = await (await flange.PatchThresholdAsync(new { falseRejectRate = 0.05 })).JsonAsync(200);
        Assert.Equal("token:robot", patched.Items("history").Single().Text("who"));
    }

    [Fact]
    public async Task An_issuer_that_is_down_is_told_from_a_bad_token_and_stops_no_key()
    {
        var token = _issuer.Token("admin");
        var key = (await _service.KeyAsync(AccessScope.Score)).Text;
        await _issuer.DisposeAsync();
        using var robot = _service.With(token);
        var answer = await robot.GetAsync("/v1/categories");
        Assert.Equal("5", answer.Headers.GetValues("Retry-After").Single());
        await answer.ProblemAsync(503, "issuer_unavailable");
        using var line = _service.With(key);
        await (await line.GetAsync("/v1/categories")).JsonAsync(200);
    }
}
