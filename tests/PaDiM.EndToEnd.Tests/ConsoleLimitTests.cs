using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.Playwright;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;
using static Microsoft.Playwright.Assertions;

namespace PaDiM.EndToEnd.Tests;

/// <summary>The console with much to show, over a poor network, and with two people at once.</summary>
public sealed class ConsoleLimitTests(PublishedService service, LocalBrowser local)
{
    private const int Many = 10_000;

    [Fact]
    public async Task Ten_thousand_images_scroll_like_fifty()
    {
        using var folder = new TempDirectory();
        using var started = await service.StartAnotherAsync(folder);
        await started.Client.PutAsync("/v1/categories/flange", new JsonObject());
        await started.Client.UploadAsync("flange", [("0.bmp", SyntheticParts.Good(0).ToBmp())]);
        await CopyRowsAsync(folder.Combine("data", "padim.db"));
        await using var browser = await local.OpenAsync(started.Client.Http.BaseAddress!);
        var page = browser.Page;
        // The rows have no files.
        await page.RouteAsync(
            "**/thumbnail",
            route =>
                route.FulfillAsync(new() { ContentType = "image/bmp", BodyBytes = SyntheticParts.Good(0, 16).ToBmp() })
        );
        await page.GotoAsync(new Uri(started.Client.Http.BaseAddress!, "/console/c/flange/images").ToString());

        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "All (10,000)" })).ToBeVisibleAsync();
        await Expect(page.GetByText("1.bmp", new() { Exact = true })).ToBeVisibleAsync();
        Assert.InRange(await page.Locator(".tile").CountAsync(), 10, 200);
        await page.EvaluateAsync("() => scrollTo(0, document.documentElement.scrollHeight)");
        await Expect(page.GetByText("9999.bmp", new() { Exact = true })).ToBeVisibleAsync();
        Assert.InRange(await page.Locator(".tile").CountAsync(), 10, 200);
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "9999.bmp" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose all 10,000" }).ClickAsync();
        await Expect(page.GetByText("10,000 images chosen")).ToBeVisibleAsync();
        // At the end, the bar with the choice covers nothing.
        await page.EvaluateAsync("() => scrollTo(0, document.documentElement.scrollHeight)");
        await page.ExpectAccessibleAsync();
        browser.StayedQuiet();
    }

    [Fact]
    public async Task A_mask_that_cannot_be_read_is_not_painted_over()
    {
        const string category = "console-mask";
        await service.Client.PutAsync($"/v1/categories/{category}", new JsonObject());
        await service.Client.UploadAsync(category, [("0.bmp", SyntheticParts.Good(0).ToBmp())]);
        using var mask = new ByteArrayContent(SyntheticParts.Good(0, 16).ToBmp())
        {
            Headers = { ContentType = new("image/bmp") },
        };
        using var stored = await service.Client.Http.PutAsync($"/v1/categories/{category}/ignore-mask", mask);
        Assert.True(stored.IsSuccessStatusCode, await stored.Content.ReadAsStringAsync());
        await using var browser = await local.OpenAsync(service.Address);
        var page = browser.Page;
        await page.RouteAsync(
            "**/ignore-mask",
            route => route.FulfillAsync(new() { Status = 502, Body = "<h1>Bad Gateway</h1>" })
        );
        await page.GotoAsync(new Uri(service.Address, $"/console/c/{category}/images").ToString());
        await page.GetByRole(AriaRole.Button, new() { Name = "Mask and region" }).ClickAsync();
        await Expect(page.GetByText("HTTP 502")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Over_a_slow_network_the_page_says_that_it_waits_and_then_works()
    {
        const string category = "console-slow";
        await service.Client.PrepareSyntheticAsync(category);
        await using var browser = await local.OpenAsync(service.Address);
        var page = browser.Page;
        await browser.SlowDownAsync(latency: 400, bytesPerSecond: 50_000);
        await page.GotoAsync(new Uri(service.Address, $"/console/c/{category}/inspect").ToString());
        var chooser = await page.RunAndWaitForFileChooserAsync(() =>
            page.GetByRole(AriaRole.Button, new() { Name = "Choose a photograph" }).ClickAsync()
        );
        await chooser.SetFilesAsync(
            new FilePayload
            {
                Name = "scratch.bmp",
                MimeType = "image/bmp",
                Buffer = SyntheticParts.Defective(100, DefectKind.Scratch).Image.ToBmp(),
            }
        );
        // Sending it takes a second: the button says so.
        await Expect(page.Locator(".inspect-actions .button").First).ToHaveAttributeAsync("aria-busy", "true");
        await Expect(page.Locator(".verdict")).ToHaveTextAsync("Defective");
        await page.GetByRole(AriaRole.Link, new() { Name = "Training set" }).ClickAsync();
        await Expect(page.Locator(".tile")).ToHaveCountAsync(13);
        await Expect(page.GetByText("The service does not answer")).ToHaveCountAsync(0);
        browser.StayedQuiet();
    }

    [Fact]
    public async Task Two_people_at_once_see_what_the_other_has_done()
    {
        const string category = "console-two";
        await service.Client.PrepareSyntheticAsync(category);
        for (var i = 0; i < 3; i++)
            await service.Client.InspectAsync(
                category,
                SyntheticParts.Defective(70 + i, DefectKind.Scratch).Image.ToBmp(),
                $"part-{i}"
            );
        await using var one = await local.OpenAsync(new Uri(service.Address, $"/console/c/{category}/review"));
        await using var other = await local.OpenAsync(new Uri(service.Address, $"/console/c/{category}/review"));
        await using var third = await local.OpenAsync(new Uri(service.Address, $"/console/c/{category}/threshold"));
        await Expect(other.Page.GetByText("3 parts wait for a verdict")).ToBeVisibleAsync();
        await Expect(third.Page.GetByText("It has not been changed.")).ToBeVisibleAsync();

        await one
            .Page.GetByRole(AriaRole.Group, new() { Name = "Verdict" })
            .GetByRole(AriaRole.Button, new() { Name = "Good" })
            .ClickAsync();
        await one.Page.GetByRole(AriaRole.Link, new() { Name = "Threshold" }).ClickAsync();
        await one.Page.GetByRole(AriaRole.Slider).FillAsync("360");
        await one.Page.GetByLabel("Reason").FillAsync("Scratches passed.");
        await one.Page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(one.Page.GetByRole(AriaRole.Cell, new() { Name = "Scratches passed." })).ToBeVisibleAsync();

        await Expect(other.Page.GetByText("2 parts wait for a verdict")).ToBeVisibleAsync();
        await Expect(third.Page.GetByRole(AriaRole.Cell, new() { Name = "Scratches passed." })).ToBeVisibleAsync();
        one.StayedQuiet();
        other.StayedQuiet();
        third.StayedQuiet();
    }

    /// <summary>Makes ten thousand rows of one, under other names and hashes.</summary>
    private static async Task CopyRowsAsync(string database)
    {
        await using var db = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = database, Pooling = false }.ToString()
        );
        await db.OpenAsync();
        var columns = new List<string>();
        await using (var read = db.CreateCommand())
        {
            read.CommandText = "SELECT name FROM pragma_table_info('Images')";
            await using var rows = await read.ExecuteReaderAsync();
            while (await rows.ReadAsync())
                columns.Add(rows.GetString(0));
        }
        await using var write = db.CreateCommand();
        write.CommandText = $"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {Many - 1})
            INSERT INTO Images ({string.Join(", ", columns.Select(column => $"\"{column}\""))})
            SELECT {string.Join(
                ", ",
                columns.Select(column =>
                    column switch
                    {
                        "Id" => "printf('%032x', 1000000 + i)",
                        "Sha256" or "PixelSha256" => "printf('%064x', i)",
                        "FileName" => "printf('%d.bmp', i)",
                        _ => $"\"{column}\"",
                    }
                )
            )}
            FROM Images, n
            """;
        Assert.Equal(Many - 1, await write.ExecuteNonQueryAsync());
    }
}
