using System.Text.Json;
using Microsoft.Playwright;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>Checks pages with axe-core, which the build of the console installs.</summary>
public static class Accessibility
{
    private static readonly string Script = Path.Combine(
        PublishedService.Repository,
        "src/PaDiM.Console/node_modules/axe-core/axe.min.js"
    );

    private const string Run = """
        async () => {
            const { violations } = await axe.run(document, {
                runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
            });
            return JSON.stringify(violations.flatMap(rule =>
                rule.nodes.map(node => `${rule.id}: ${node.html} ${node.failureSummary}`)));
        }
        """;

    /// <summary>Finds no violation of WCAG 2.2 AA, in light and in dark. Without axe-core, the test says so.</summary>
    public static async Task ExpectAccessibleAsync(this IPage page)
    {
        if (!File.Exists(Script))
        {
            TestContext.Current.AddWarning("Built without Node.js: axe-core is not there, and nothing was checked.");
            return;
        }
        // Not as a script element, which the content security policy refuses.
        await page.EvaluateAsync(await File.ReadAllTextAsync(Script));
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            var found = JsonSerializer.Deserialize<string[]>(await page.EvaluateAsync<string>(Run))!;
            Assert.True(found.Length == 0, $"{page.Url}, {scheme}:\n{string.Join('\n', found)}");
        }
    }
}
