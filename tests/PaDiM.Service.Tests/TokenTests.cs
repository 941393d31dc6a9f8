using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Tokens of an identity provider beside keys.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private ServiceWithTokens _tokens = null!;

    private TokenIssuer Issuer => _tokens.Issuer;

    private RunningService Service => _tokens.Service;

    public async ValueTask InitializeAsync() => _tokens = await ServiceWithTokens.StartAsync();

    public ValueTask DisposeAsync() => _tokens.DisposeAsync();

    [Fact]
    public async Task A_token_opens_what_its_scopes_say()
    {
        await (await Service.Http.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
        Assert.Equal((200, 403, 403), await SeenAsync(Issuer.Token("score")));
        Assert.Equal((200, 200, 403), await SeenAsync(Issuer.Token("openid score train")));
        Assert.Equal((200, 200, 200), await SeenAsync(Issuer.Token(new[] { "profile", "admin" })));
        Assert.Equal((403, 403, 403), await SeenAsync(Issuer.Token("openid profile")));
        Assert.Equal((403, 403, 403), await SeenAsync(Issuer.Token(scope: null)));
        Assert.Equal((200, 200, 200), await SeenAsync((await Service.KeyAsync(AccessScope.Admin)).Text));

        async Task<(int Score, int Train, int Admin)> SeenAsync(string credential)
        {
            using var http = Service.With(credential);
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
        var right = Issuer.Token("admin");
        await RefusedAsync(Issuer.Token("admin", expires: DateTime.UtcNow.AddMinutes(-5)), "token_expired");
        await RefusedAsync(Issuer.Token("admin", audience: "another"), "token_invalid");
        await RefusedAsync(Issuer.Token("admin", issuer: "https://idp.example"), "token_invalid");
        await RefusedAsync(Issuer.SignedByAnother(), "token_invalid");
        await RefusedAsync(Issuer.SignedWithPublicKey(), "token_invalid");
        await RefusedAsync(TokenIssuer.Unsigned(right), "token_invalid");
        await RefusedAsync(right[..^5] + "AAAAA", "token_invalid");
        await RefusedAsync("not-a-token", "token_invalid");
        using var good = Service.With(right);
        await (await good.GetAsync("/v1/keys")).JsonAsync(200);

        async Task RefusedAsync(string token, string code)
        {
            using var http = Service.With(token);
            await (await http.GetAsync("/v1/keys")).ProblemAsync(401, code);
        }
    }

    [Fact]
    public async Task A_token_may_be_for_some_categories_and_names_the_actor()
    {
        using var http = Service.With(Issuer.Token("train", categories: ["flange"]));
        var flange = new CategoryClient(http, "flange");
        await flange.CreateAsync();
        await (await http.GetAsync("/v1/categories/bolt")).ProblemAsync(403, "category_forbidden");
        var patched = await (await flange.PatchThresholdAsync(new { falseRejectRate = 0.05 })).JsonAsync(200);
        Assert.Equal("token:robot", patched.Items("history").Single().Text("who"));
    }

    [Fact]
    public async Task An_issuer_that_is_down_is_told_from_a_bad_token_and_stops_no_key()
    {
        var token = Issuer.Token("admin");
        var key = (await Service.KeyAsync(AccessScope.Score)).Text;
        await Issuer.DisposeAsync();
        using var robot = Service.With(token);
        var answer = await robot.GetAsync("/v1/categories");
        Assert.Equal("5", answer.Headers.GetValues("Retry-After").Single());
        await answer.ProblemAsync(503, "issuer_unavailable");
        using var line = Service.With(key);
        await (await line.GetAsync("/v1/categories")).JsonAsync(200);
    }
}
