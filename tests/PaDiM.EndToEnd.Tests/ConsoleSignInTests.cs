using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace PaDiM.EndToEnd.Tests;

/// <summary>Who may do what in the console. Each test has a service of its own.</summary>
public sealed class ConsoleSignInTests(PublishedService service, LocalBrowser local)
{
    [Fact]
    public async Task People_sign_in_below_a_path_and_see_only_what_their_key_may_do()
    {
        using var folder = new TempDirectory();
        using var started = await service.StartAnotherAsync(folder, ("Padim__PathBase", "/lines/one"));
        var address = started.Client.Http.BaseAddress!;
        await started.Client.PutAsync("/v1/categories/flange", new JsonObject());
        var admin = await CreateKeyAsync(started.Client, "boss", "admin");
        started.Client.Http.DefaultRequestHeaders.Add("X-Api-Key", admin);
        var line = await CreateKeyAsync(started.Client, "line-1", "score", "flange");

        await using var browser = await local.OpenAsync(new Uri(address, "/lines/one/console"));
        var page = browser.Page;
        await page.GetByLabel("Key").FillAsync("padim_wrong");
        await page.ExpectAccessibleAsync();
        await page.GetByLabel("Key").FillAsync(line);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByText("line-1 · may inspect")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "flange" }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "New category" })).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Jobs" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = "System" }).ClickAsync();
        await Expect(page.GetByText("CPUExecutionProvider")).ToBeVisibleAsync();
        await Expect(page.GetByText("Audit trail")).ToHaveCountAsync(0);
        Assert.EndsWith("/lines/one/console/system", page.Url, StringComparison.Ordinal);
        Assert.Equal("", await page.EvaluateAsync<string>("() => document.cookie"));

        // What the key does not open is not offered, and says so where a link leads there all the same.
        await page.GotoAsync(new Uri(address, "/lines/one/console/c/flange/review").ToString());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "flange" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Review" })).ToHaveCountAsync(0);
        await page.GotoAsync(new Uri(address, "/lines/one/console/c/bolt").ToString());
        await Expect(page.GetByText("Your key does not open this page")).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.GetByLabel("Key").FillAsync(admin);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "System" }).ClickAsync();
        await page.GetByRole(AriaRole.Row, new() { Name = "boss" })
            .GetByRole(AriaRole.Button, new() { Name = "Revoke" })
            .ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        // Its own key: the session is over.
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task People_sign_in_with_the_identity_provider_and_come_back_to_their_page()
    {
        await using var issuer = await TokenIssuer.StartAsync();
        using var folder = new TempDirectory();
        using var started = await service.StartAnotherAsync(
            folder,
            [.. issuer.BrowserOptions.Select(one => ($"Padim__{one.Option.Replace(":", "__")}", $"{one.Value}"))]
        );
        started.Client.Http.DefaultRequestHeaders.Authorization = new("Bearer", issuer.Token("admin"));
        await started.Client.PutAsync("/v1/categories/flange", new JsonObject());
        await using var browser = await local.OpenAsync(
            new Uri(started.Client.Http.BaseAddress!, "/console/c/flange/images")
        );
        var page = browser.Page;
        var provider = page.GetByRole(AriaRole.Link, new() { Name = "Sign in with" });
        await page.ExpectAccessibleAsync();

        // The provider knows them, and gives them no rights here.
        issuer.SignedIn = issuer.Token("openid");
        await provider.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("You are known");
        await page.ExpectAccessibleAsync();

        await page.GotoAsync(new Uri(started.Client.Http.BaseAddress!, "/console/c/flange/images").ToString());
        issuer.SignedIn = issuer.Token("openid train");
        await provider.ClickAsync();
        await Expect(page.GetByText("token:robot")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "flange" })).ToBeVisibleAsync();
        Assert.EndsWith("/console/c/flange/images", page.Url, StringComparison.Ordinal);
        Assert.Equal("", await page.EvaluateAsync<string>("() => document.cookie"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(provider).ToBeVisibleAsync();
    }

    private static async Task<string> CreateKeyAsync(
        ServiceClient client,
        string name,
        string scope,
        params string[] categories
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/keys")
        {
            Content = JsonContent.Create(
                new
                {
                    name,
                    scope,
                    categories = categories.Length > 0 ? categories : null,
                }
            ),
        };
        return (string)(await client.SendAsync(request))["key"]!;
    }
}
