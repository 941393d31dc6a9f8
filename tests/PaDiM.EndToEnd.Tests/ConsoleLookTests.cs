using System.Text.Json.Nodes;
using Microsoft.Playwright;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;
using static Microsoft.Playwright.Assertions;

namespace PaDiM.EndToEnd.Tests;

/// <summary>How the main views look. The documentation shows some of the pictures.</summary>
public sealed class ConsoleLookTests(PublishedService service, LocalBrowser local)
{
    private const string Category = "flange";
    private static readonly DefectKind[] Kinds = [DefectKind.Scratch, DefectKind.Dent];

    [Fact]
    public async Task The_main_views_look_as_they_did()
    {
        using var folder = new TempDirectory();
        using var started = await service.StartAnotherAsync(folder);
        await PrepareAsync(started.Client);
        await using var browser = await local.OpenAsync(started.Client.Http.BaseAddress!);
        var page = browser.Page;

        await Expect(page.Locator(".card img")).ToBeVisibleAsync();
        await page.ExpectLookAsync("home");

        await OpenAsync("inspect");
        var chooser = await page.RunAndWaitForFileChooserAsync(() =>
            page.GetByRole(AriaRole.Button, new() { Name = "Choose a photograph" }).ClickAsync()
        );
        await chooser.SetFilesAsync(
            new FilePayload
            {
                Name = "flange-0815.png",
                MimeType = "image/bmp",
                Buffer = SyntheticParts.Defective(100, DefectKind.Scratch, 256).Image.ToBmp(),
            }
        );
        await Expect(page.Locator(".stage-canvas")).ToBeVisibleAsync();
        await Expect(page.GetByText("None of the 12 good parts")).ToBeVisibleAsync();
        await page.ExpectLookAsync("inspect", document: true);

        await OpenAsync("review");
        await Expect(page.Locator(".stage-canvas")).ToBeVisibleAsync();
        await Expect(page.Locator(".strip-picture").First).ToBeVisibleAsync();
        await page.ExpectLookAsync("review", document: true);

        await OpenAsync("images");
        await Expect(page.Locator(".tile")).ToHaveCountAsync(14);
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await page.ExpectLookAsync("images");

        await OpenAsync("threshold");
        await page.GetByRole(AriaRole.Slider).FillAsync("300");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Would be rejected" })).ToBeVisibleAsync();
        await page.ExpectLookAsync("threshold", document: true);

        await OpenAsync("inspections");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Inspections" }).Locator("tbody tr"))
            .ToHaveCountAsync(9);
        await page.ExpectLookAsync("inspections");
        browser.StayedQuiet();

        async Task OpenAsync(string view) =>
            await page.GotoAsync(new Uri(started.Client.Http.BaseAddress!, $"/console/c/{Category}/{view}").ToString());
    }

    /// <summary>A category that has been fitted and evaluated, and inspects a line.</summary>
    private static async Task PrepareAsync(ServiceClient client)
    {
        await client.PutAsync($"/v1/categories/{Category}", new JsonObject());
        await client.UploadAsync(
            Category,
            Enumerable.Range(0, 12).Select(seed => ($"good-{seed:00}.bmp", SyntheticParts.Good(seed, 256).ToBmp()))
        );
        foreach (var kind in Kinds)
            await client.UploadAsync(
                Category,
                [($"{kind}.bmp", SyntheticParts.Defective(40, kind, 256).Image.ToBmp())],
                $"?label=anomalous&defect={kind.ToString().ToLowerInvariant()}"
            );
        await client.FitAsync(Category);
        for (var i = 0; i < 8; i++)
            await client.InspectAsync(
                Category,
                i % 4 == 3
                    ? SyntheticParts.Good(i, 256).ToBmp()
                    : SyntheticParts.Defective(60 + i, Kinds[i % 2], 256).Image.ToBmp(),
                $"SN-{4711 + i}"
            );
    }
}
