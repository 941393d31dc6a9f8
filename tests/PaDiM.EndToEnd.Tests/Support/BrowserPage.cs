using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>A page in a headless browser, watched for errors and for requests to other hosts.</summary>
public sealed class BrowserPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _noise = [];

    private BrowserPage(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>Whether errors of the network are expected now.</summary>
    public bool IsOffline { get; private set; }

    public static async Task<BrowserPage> OpenAsync(IBrowser browser, Uri address, int width, int height)
    {
        var context = await browser.NewContextAsync(
            new()
            {
                ViewportSize = new() { Width = width, Height = height },
                // Nothing is half way when it is looked at.
                ReducedMotion = ReducedMotion.Reduce,
            }
        );
        var opened = new BrowserPage(context, await context.NewPageAsync());
        opened.Page.Console += (_, message) =>
            opened.Note(message.Type == "error", $"console: {message.Text} {message.Location}");
        opened.Page.PageError += (_, error) => opened.Note(true, $"script: {error}");
        opened.Page.Request += (_, request) => opened.Note(!IsLocal(request.Url, address), $"request to {request.Url}");
        await opened.Page.GotoAsync(address.ToString());
        return opened;
    }

    /// <summary>Unfolds an operation of Swagger UI.</summary>
    public async Task<ILocator> ExpandAsync(string operationId)
    {
        var operation = Page.Locator($".opblock[id$='-{operationId}']");
        await operation.Locator(".opblock-summary-control").ClickAsync();
        return operation;
    }

    /// <summary>Takes the network away, or gives it back.</summary>
    public async Task SetOfflineAsync(bool offline)
    {
        IsOffline |= offline;
        await _context.SetOfflineAsync(offline);
    }

    /// <summary>Makes the network as slow as a poor radio link.</summary>
    /// <param name="latency">Milliseconds before each answer.</param>
    /// <param name="bytesPerSecond">Bytes per second, in each direction.</param>
    public async Task SlowDownAsync(int latency, int bytesPerSecond)
    {
        var devTools = await _context.NewCDPSessionAsync(Page);
        await devTools.SendAsync(
            "Network.emulateNetworkConditions",
            new Dictionary<string, object>
            {
                ["offline"] = false,
                ["latency"] = latency,
                ["downloadThroughput"] = bytesPerSecond,
                ["uploadThroughput"] = bytesPerSecond,
            }
        );
    }

    /// <summary>Fails when the page had errors or went elsewhere.</summary>
    public void StayedQuiet() => Assert.True(_noise.IsEmpty, string.Join('\n', _noise));

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Note(bool wrong, string what)
    {
        if (wrong && !(IsOffline && what.StartsWith("console: Failed to load", StringComparison.Ordinal)))
            _noise.Enqueue(what);
    }

    private static bool IsLocal(string url, Uri service) =>
        url.StartsWith("data:", StringComparison.Ordinal)
        || url.StartsWith("blob:", StringComparison.Ordinal)
        || new Uri(url).Authority == service.Authority;
}
