using Microsoft.Playwright;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>This machine's own Chromium, started once for all tests. Without one, they are skipped.</summary>
public sealed class LocalBrowser : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    /// <summary>The camera shows a pattern, and is allowed without a question.</summary>
    private static readonly string[] Flags =
    [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ];

    /// <summary>How long something may take on a busy machine, in milliseconds.</summary>
    private const float Patience = 60_000;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (FindExecutable() is not { } executable)
            return;
        Assertions.SetDefaultExpectTimeout(Patience);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = executable,
                Args = Flags,
                Headless = true,
            }
        );
    }

    /// <summary>Opens a window of its own, without cookies of others.</summary>
    public async Task<BrowserPage> OpenAsync(Uri address, int width = 1280, int height = 800)
    {
        Assert.SkipWhen(_browser is null, $"No browser on the PATH: one of {string.Join(", ", Names)} is needed.");
        return await BrowserPage.OpenAsync(_browser, address, width, height);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    private static string? FindExecutable() =>
        (
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            from name in Names
            let path = Path.Combine(folder, name)
            where File.Exists(path)
            select path
        ).FirstOrDefault();
}
