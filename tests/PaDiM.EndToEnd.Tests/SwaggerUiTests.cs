using Microsoft.Playwright;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;
using static Microsoft.Playwright.Assertions;

namespace PaDiM.EndToEnd.Tests;

/// <summary>Swagger UI in a real browser: a stranger picks a file, presses Execute and reads a decision.</summary>
public sealed class SwaggerUiTests(PublishedService service, LocalBrowser local)
{
    /// <summary>The category that the document fills in.</summary>
    private const string Category = "bottle";

    [Fact]
    public async Task An_image_picked_in_the_browser_is_scored()
    {
        await using var browser = await local.OpenAsync(new Uri(service.Address, "/swagger"), 1280, 1600);
        using var folder = new TempDirectory();
        var image = folder.Combine("part.bmp");
        await File.WriteAllBytesAsync(image, SyntheticParts.Defective(100, DefectKind.Scratch).Image.ToBmp());
        await service.Client.PrepareSyntheticAsync(Category);

        var operation = await browser.ExpandAsync("ScoreImage");
        await operation.Locator("input[type=file]").SetInputFilesAsync(image);
        await operation.Locator("button.execute").ClickAsync();

        var live = operation.Locator(".live-responses-table");
        await Expect(live.Locator(".response-col_status").Last).ToContainTextAsync("200");
        await Expect(live).ToContainTextAsync("\"decision\": \"anomalous\"");
        browser.StayedQuiet();
    }

    [Fact]
    public async Task Images_picked_in_the_browser_are_uploaded_as_a_form()
    {
        await using var browser = await local.OpenAsync(new Uri(service.Address, "/swagger"), 1280, 1600);
        using var folder = new TempDirectory();
        var image = folder.Combine("good.bmp");
        await File.WriteAllBytesAsync(image, SyntheticParts.Good(777).ToBmp());
        await service.Client.PutAsync($"/v1/categories/{Category}", new System.Text.Json.Nodes.JsonObject());

        var operation = await browser.ExpandAsync("UploadImages");
        var files = operation.Locator("tr[data-property-name=files]");
        if (await files.Locator("input[type=file]").CountAsync() == 0)
            await files.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await files.Locator("input[type=file]").First.SetInputFilesAsync(image);
        await operation.Locator("button.execute").ClickAsync();

        var live = operation.Locator(".live-responses-table");
        await Expect(live.Locator(".response-col_status").Last).ToContainTextAsync("200");
        await Expect(live).ToContainTextAsync("\"fileName\": \"good.bmp\"");
        await Expect(live).ToContainTextAsync("\"rejected\": []");
        browser.StayedQuiet();
    }
}
