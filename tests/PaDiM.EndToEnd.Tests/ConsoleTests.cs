using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;
using static Microsoft.Playwright.Assertions;

namespace PaDiM.EndToEnd.Tests;

/// <summary>The console in a real browser, over the published program, as people use it.</summary>
public sealed partial class ConsoleTests(PublishedService service, LocalBrowser local)
{
    private const string Fitted = "console-fitted";
    private static readonly SemaphoreSlim Fitting = new(1, 1);
    private static bool _isFitted;

    [Fact]
    public async Task Somebody_without_a_manual_gets_from_nothing_to_a_heatmap()
    {
        await using var browser = await local.OpenAsync(service.Address);
        var page = browser.Page;
        using var folder = new TempDirectory();
        var name = "console-new";

        await page.GetByRole(AriaRole.Button, new() { Name = "New category" }).First.ClickAsync();
        await page.GetByLabel("Name").FillAsync("No Such Name!");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Expect(page.GetByText("begin with a letter or a digit")).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();
        await page.GetByLabel("Name").FillAsync(name);
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();

        var files = Enumerable.Range(0, 12).Select(seed => Save(folder, $"good-{seed}.bmp", SyntheticParts.Good(seed)));
        var broken = folder.Combine("broken.png");
        await File.WriteAllTextAsync(broken, "no image");
        await ChooseAsync(page, "Choose images", [.. files, broken]);
        await Expect(page.GetByText("12 images added")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Which, and why" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("broken.png");
        await page.Keyboard.PressAsync("Escape");

        await page.GetByRole(AriaRole.Button, new() { Name = "Start the fit" }).ClickAsync();
        await Expect(page.GetByText("Version 1 is ready")).ToBeVisibleAsync();

        await ChooseAsync(
            page,
            "Choose a photograph",
            [Save(folder, "scratch.bmp", SyntheticParts.Defective(100, DefectKind.Scratch).Image)]
        );
        await Expect(page.Locator(".verdict")).ToHaveTextAsync("Defective");
        await Expect(page.GetByText("None of the 12 good parts")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { NameRegex = Scratch() })).ToBeVisibleAsync();
        await page.GetByLabel("Heatmap").FillAsync("30");
        await page.ExpectAccessibleAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Settings", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete category" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        var delete = dialog.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true });
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("console");
        await Expect(delete).ToBeDisabledAsync();
        await page.ExpectAccessibleAsync();
        await dialog.GetByRole(AriaRole.Textbox).FillAsync(name);
        await delete.ClickAsync();
        await Expect(page.GetByText($"{name} was deleted.")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = name })).ToHaveCountAsync(0);
        browser.StayedQuiet();
    }

    /// <summary>
    /// A short fit is over before the page has seen it run: the list of jobs comes late, or no events pass a proxy.
    /// </summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task The_end_of_a_fit_is_seen_whichever_way_it_is_learnt(bool eventsFail, bool listIsLate)
    {
        var name = $"console-end-{eventsFail}-{listIsLate}".ToLowerInvariant();
        await service.Client.PutAsync($"/v1/categories/{name}", new JsonObject());
        await service.Client.UploadAsync(
            name,
            Enumerable.Range(0, 3).Select(seed => ($"{seed}.bmp", SyntheticParts.Good(seed).ToBmp()))
        );
        await using var browser = await local.OpenAsync(service.Address);
        var page = browser.Page;
        var isOver = new TaskCompletionSource();
        if (eventsFail)
            await page.RouteAsync("**/v1/jobs/*/events", route => route.AbortAsync());
        if (listIsLate)
            await page.RouteAsync(
                "**/v1/jobs?*",
                async route =>
                {
                    await isOver.Task;
                    await route.ContinueAsync();
                }
            );
        await page.GotoAsync($"{service.Address}console/c/{name}/start");

        var answer = await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Start the fit" }).ClickAsync(),
            response => response.Url.EndsWith("/fits", StringComparison.Ordinal)
        );
        var job = JsonNode.Parse(await answer.TextAsync())!;
        await service.Client.FollowAsync((string)job["id"]!);
        if (eventsFail)
            isOver.SetResult();
        await Expect(page.GetByText("Version 1 is ready")).ToBeVisibleAsync();
        isOver.TrySetResult();
    }

    [Fact]
    public async Task The_camera_is_scored_again_and_again_one_picture_at_a_time()
    {
        await using var browser = await OpenFittedAsync("inspect");
        var page = browser.Page;
        var (running, most, scored) = (0, 0, 0);
        page.Request += (_, request) => most = IsScore(request) ? Math.Max(most, ++running) : most;
        page.RequestFinished += (_, request) =>
            (running, scored) = IsScore(request) ? (running - 1, scored + 1) : (running, scored);

        await page.GetByRole(AriaRole.Button, new() { Name = "Use the camera" }).ClickAsync();
        await Expect(page.GetByText("per second")).ToBeVisibleAsync();
        await Expect(page.Locator(".verdict")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Hold" }).ClickAsync();
        await page.ExpectAccessibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Turn camera off" }).ClickAsync();

        Assert.True(scored > 0, "No picture was scored.");
        Assert.Equal(1, most);

        static bool IsScore(IRequest request) => request.Url.Contains("/score?", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_training_set_is_looked_through_marked_and_masked()
    {
        await using var browser = await OpenFittedAsync("images");
        var page = browser.Page;
        await Expect(page.Locator(".tile")).ToHaveCountAsync(13);
        await page.ExpectAccessibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Open 003.bmp" }).ClickAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "004.bmp" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");

        await page.GetByRole(AriaRole.Checkbox, new() { Name = "005.bmp" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep for tests" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "For tests (1)" })).ToBeVisibleAsync();
        await Expect(page.GetByText("0 added, 1 removed")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Good (12)" })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Checkbox, new() { Name = "005.bmp" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("cannot be brought back");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Mask and region" }).ClickAsync();
        var canvas = page.Locator(".mask-canvas");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Save" }))
            .ToHaveAttributeAsync("aria-busy", "false");
        await DragAsync(page, canvas);
        await page.ExpectAccessibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        Assert.NotNull((string?)(await service.Client.GetAsync($"/v1/categories/{Fitted}"))["ignoreMaskSha256"]);
        browser.StayedQuiet();
    }

    [Fact]
    public async Task The_threshold_is_moved_with_a_look_at_what_it_does()
    {
        await using var browser = await OpenFittedAsync("threshold");
        var page = browser.Page;
        var slider = page.GetByRole(AriaRole.Slider);
        await slider.FillAsync("360");
        await Expect(page.GetByText(DecisionsChange())).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Would be rejected" })).ToBeVisibleAsync();
        await Expect(page.Locator(".strip-picture").First).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();

        var before = (double)(await service.Client.GetAsync($"/v1/categories/{Fitted}"))["falseRejectRate"]!;
        await page.GetByLabel("Reason").FillAsync("Scratches of lot 48 passed.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.GetByText("In force:")).ToBeVisibleAsync();
        Assert.NotEqual(
            before,
            (double)(await service.Client.GetAsync($"/v1/categories/{Fitted}"))["falseRejectRate"]!
        );
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        var history = page.GetByRole(AriaRole.Region, new() { Name = "History" }).Locator("tbody tr");
        await Expect(history).ToHaveCountAsync(2);
        await Expect(history.Last).ToContainTextAsync("Scratches of lot 48 passed.");
        Assert.Equal(before, (double)(await service.Client.GetAsync($"/v1/categories/{Fitted}"))["falseRejectRate"]!);
        browser.StayedQuiet();
    }

    [Fact]
    public async Task A_version_is_evaluated_and_shown_with_its_curves_and_worst_cases()
    {
        await using var browser = await OpenFittedAsync("models");
        var page = browser.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Evaluate" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { Name = "ROC curve" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "scratch" })).ToBeVisibleAsync();
        await Expect(page.GetByText("Good parts with the highest scores")).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Jobs" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row, new() { NameRegex = Evaluation() }).First).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "System" }).ClickAsync();
        await Expect(page.GetByText("CPUExecutionProvider")).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();
        browser.StayedQuiet();
    }

    [Fact]
    public async Task Parts_are_reviewed_by_keyboard()
    {
        var category = await PrepareLineAsync("console-review");
        await using var browser = await local.OpenAsync(new Uri(service.Address, $"/console/c/{category}/review"));
        var page = browser.Page;
        await Expect(page.GetByText("4 parts wait for a verdict")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { NameRegex = FirstDefect() })).ToBeVisibleAsync();
        await Expect(page.Locator(".strip-picture").First).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();

        await page.Keyboard.PressAsync("d");
        await page.GetByLabel("Kind of defect").FillAsync("crack");
        await page.ExpectAccessibleAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("3 parts wait for a verdict")).ToBeVisibleAsync();
        await Expect(page.Locator(".facts")).ToContainTextAsync("bad-1");
        await page.Keyboard.PressAsync("g");
        await Expect(page.GetByText("2 parts wait for a verdict")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("z");
        await Expect(page.GetByText("3 parts wait for a verdict")).ToBeVisibleAsync();
        await Expect(page.Locator(".facts")).ToContainTextAsync("bad-1");
        await page.Keyboard.PressAsync("n");
        await Expect(page.Locator(".facts")).ToContainTextAsync("bad-2");
        await page.Keyboard.PressAsync("u");
        await Expect(page.Locator(".facts")).ToContainTextAsync("bad-3");

        await page.GetByLabel("Letters as shortcuts").UncheckAsync();
        await page.Keyboard.PressAsync("g");
        await page.GetByLabel("Letters as shortcuts").CheckAsync();
        await page.Keyboard.PressAsync("d");
        await page.GetByRole(AriaRole.Button, new() { Name = "crack" }).ClickAsync();
        await Expect(page.GetByText("1 part waits for a verdict")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Similar scores" }).ClickAsync();
        await Expect(page.Locator(".strip").GetByText("crack").First).ToBeVisibleAsync();
        browser.StayedQuiet();

        var said = (await service.Client.GetAsync($"/v1/inspections?category={category}"))["items"]!
            .AsArray()
            .ToDictionary(row => (string)row!["part"]!, row => (string?)row!["verdict"]?["verdict"]);
        Assert.Equal(
            ["bad-0: defective", "bad-1: ", "bad-2: unsure", "bad-3: defective", "good-0: ", "good-1: "],
            said.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {pair.Value}")
        );
    }

    [Fact]
    public async Task What_was_wrongly_rejected_is_learnt_tried_in_the_shadow_and_promoted()
    {
        const string Category = "console-learn";
        await service.Client.PrepareSyntheticAsync(Category);
        for (var i = 0; i < 2; i++)
            await service.Client.InspectAsync(
                Category,
                SyntheticParts.Defective(60 + i, DefectKind.Scratch).Image.ToBmp(),
                $"bad-{i}"
            );
        await using var browser = await local.OpenAsync(new Uri(service.Address, $"/console/c/{Category}/review"));
        var page = browser.Page;
        await Expect(page.GetByText("2 parts wait for a verdict")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("g");
        await Expect(page.GetByText("1 part waits for a verdict")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Learn good parts" }).ClickAsync();
        await page.ExpectAccessibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Learn them" }).ClickAsync();
        await Expect(page.GetByText("1 photograph added.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Dialog).GetByText("Close", new() { Exact = true }).ClickAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Models" }).ClickAsync();
        var shadow = page.GetByRole(AriaRole.Heading, new() { Name = "Version 2 in the shadow" });
        await Expect(shadow).ToBeVisibleAsync();
        await service.Client.InspectAsync(Category, SyntheticParts.Good(3).ToBmp(), "good-3");
        await Expect(page.GetByText("1 part scored by both")).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Promote" }).ClickAsync();
        await Expect(page.GetByText("Version 2 inspects now.")).ToBeVisibleAsync();
        await Expect(shadow).ToHaveCountAsync(0);
        browser.StayedQuiet();
    }

    [Fact]
    public async Task Inspections_are_found_counted_and_exported()
    {
        var category = await PrepareLineAsync("console-line");
        await using var browser = await local.OpenAsync(new Uri(service.Address, $"/console/c/{category}/inspections"));
        var page = browser.Page;
        var rows = page.GetByRole(AriaRole.Region, new() { Name = "Inspections" }).Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(6);
        await Expect(page.GetByRole(AriaRole.Img, new() { NameRegex = PartsOverTime() })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { NameRegex = MapOfDefects() })).ToBeVisibleAsync();
        await page.GetByText("Figures").ClickAsync();
        await page.ExpectAccessibleAsync();

        await page.GetByRole(AriaRole.Combobox, new() { Name = "Decision" })
            .SelectOptionAsync(new SelectOptionValue { Label = "Defective" });
        await Expect(rows).ToHaveCountAsync(4);
        await page.GetByLabel("Part", new() { Exact = true }).FillAsync("bad-2");
        await page.Keyboard.PressAsync("Enter");
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(page).ToHaveURLAsync(FilteredAddress());
        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "Export as csv" }).ClickAsync()
        );
        Assert.Equal(2, (await File.ReadAllLinesAsync((await download.PathAsync())!)).Length);

        await rows.First.GetByRole(AriaRole.Button).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.GetByRole(AriaRole.Img)).ToBeVisibleAsync();
        await page.ExpectAccessibleAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Good" }).ClickAsync();
        await Expect(rows.First).ToContainTextAsync("Good");
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(rows.First).Not.ToContainTextAsync("Good");
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear filters" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(6);
        browser.StayedQuiet();
    }

    [Fact]
    public async Task A_lost_connection_is_said_and_comes_back_by_itself()
    {
        await using var browser = await local.OpenAsync(service.Address);
        await Expect(browser.Page.GetByRole(AriaRole.Heading, new() { Name = "Categories" }).First).ToBeVisibleAsync();
        await browser.SetOfflineAsync(true);
        await Expect(browser.Page.GetByText("The service does not answer")).ToBeVisibleAsync();
        await browser.SetOfflineAsync(false);
        await Expect(browser.Page.GetByText("The service does not answer")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task On_a_tablet_the_navigation_is_behind_a_button()
    {
        await EnsureFittedAsync();
        await using var browser = await local.OpenAsync(service.Address, width: 800, height: 1200);
        var menu = browser.Page.GetByRole(AriaRole.Button, new() { Name = "Menu" });
        await Expect(browser.Page.GetByRole(AriaRole.Link, new() { Name = "Jobs" })).ToBeHiddenAsync();
        await menu.ClickAsync();
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Jobs" }).ClickAsync();
        await Expect(browser.Page.GetByRole(AriaRole.Heading, new() { Name = "Jobs" })).ToBeVisibleAsync();
        await browser.Page.ExpectAccessibleAsync();
        browser.StayedQuiet();
    }

    private async Task<BrowserPage> OpenFittedAsync(string view)
    {
        await EnsureFittedAsync();
        return await local.OpenAsync(new Uri(service.Address, $"/console/c/{Fitted}/{view}"));
    }

    private async Task EnsureFittedAsync()
    {
        await Fitting.WaitAsync();
        try
        {
            if (!_isFitted)
                await service.Client.PrepareSyntheticAsync(Fitted);
            _isFitted = true;
        }
        finally
        {
            Fitting.Release();
        }
    }

    /// <summary>A category with a model of another one, that has inspected four bad parts and two good ones.</summary>
    private async Task<string> PrepareLineAsync(string category)
    {
        await EnsureFittedAsync();
        await service.Client.CopyModelAsync(Fitted, category);
        for (var i = 0; i < 4; i++)
            await InspectAsync($"bad-{i}", SyntheticParts.Defective(60 + i, DefectKind.Scratch).Image);
        for (var i = 0; i < 2; i++)
            await InspectAsync($"good-{i}", SyntheticParts.Good(i));
        return category;

        Task InspectAsync(string part, RgbImage image) => service.Client.InspectAsync(category, image.ToBmp(), part);
    }

    private static string Save(TempDirectory folder, string name, RgbImage image)
    {
        var path = folder.Combine(name);
        File.WriteAllBytes(path, image.ToBmp());
        return path;
    }

    private static async Task ChooseAsync(IPage page, string button, string[] files)
    {
        var chooser = await page.RunAndWaitForFileChooserAsync(() =>
            page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync()
        );
        await chooser.SetFilesAsync(files);
    }

    private static async Task DragAsync(IPage page, ILocator across)
    {
        var box = (await across.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width / 4, box.Y + box.Height / 4);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + box.Width / 2, box.Y + box.Height / 3, new() { Steps = 4 });
        await page.Mouse.UpAsync();
    }

    [GeneratedRegex(@"scratch\.bmp: Defective")]
    private static partial Regex Scratch();

    [GeneratedRegex(@"\d+ decisions? change")]
    private static partial Regex DecisionsChange();

    [GeneratedRegex("^bad-0: Defective")]
    private static partial Regex FirstDefect();

    [GeneratedRegex("^Parts over time: 6 parts, of which 4")]
    private static partial Regex PartsOverTime();

    [GeneratedRegex("^Map of defects")]
    private static partial Regex MapOfDefects();

    [GeneratedRegex(@"inspections\?decision=anomalous&part=bad-2$")]
    private static partial Regex FilteredAddress();

    [GeneratedRegex("^Evaluation")]
    private static partial Regex Evaluation();
}
