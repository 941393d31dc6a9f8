using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>Swagger UI in a headless browser, watched for errors and for requests to other hosts.</summary>
public sealed class BrowserPage : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly ConcurrentQueue<string> _noise = [];

    private BrowserPage(IPlaywright playwright, IBrowser browser, IPage page)
    {
        _playwright = playwright;
        _browser = browser;
        Page = page;
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    public static async Task<BrowserPage> OpenAsync(string executable, string[] flags, Uri service)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = executable,
                Args = flags,
                Headless = true,
            }
        );
        var opened = new BrowserPage(
            playwright,
            browser,
            await browser.NewPageAsync(
                new()
                {
                    ViewportSize = new() { Width = 1280, Height = 1600 },
                }
            )
        );
        opened.Page.Console += (_, message) => opened.Note(message.Type == "error", $"console: {message.Text}");
        opened.Page.PageError += (_, error) => opened.Note(true, $"script: {error}");
        opened.Page.Request += (_, request) => opened.Note(!IsLocal(request.Url, service), $"request to {request.Url}");
        await opened.Page.GotoAsync(new Uri(service, "/swagger").ToString());
        return opened;
    }

    /// <summary>Unfolds an operation.</summary>
    public async Task<ILocator> ExpandAsync(string operationId)
    {
        var operation = Page.Locator($".opblock[id$='-{operationId}']");
        await operation.Locator(".opblock-summary-control").ClickAsync();
        return operation;
    }

    /// <summary>Fails when the page had errors or went elsewhere.</summary>
    public void StayedQuiet() => Assert.Empty(_noise);

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private void Note(bool wrong, string what)
    {
        if (wrong)
            _noise.Enqueue(what);
    }

    private static bool IsLocal(string url, Uri service) =>
        url.StartsWith("data:", StringComparison.Ordinal)
        || url.StartsWith("blob:", StringComparison.Ordinal)
        || new Uri(url).Authority == service.Authority;
}
