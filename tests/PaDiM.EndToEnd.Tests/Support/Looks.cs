using System.Text.Json;
using Microsoft.Playwright;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>
/// Compares how pages look with committed pictures. Fonts, dates and versions of browsers differ between machines, so
/// pictures are reduced to an eighth first: what remains is where things are, how large, and in which colours.
/// </summary>
public static class Looks
{
    /// <summary>Writes the pictures again, for the tests and for the documentation.</summary>
    private static readonly bool Writes = Environment.GetEnvironmentVariable("PADIM_WRITE_PICTURES") == "1";

    /// <summary>The largest mean difference of a channel, and the largest share of pixels that differ strongly.</summary>
    private const double MaxMean = 6,
        MaxShare = 0.06;

    /// <summary>Whether all images in sight have been drawn; those further down are not even asked for.</summary>
    private const string Drawn = """
        () => [...document.images].every(image =>
            image.complete || image.getBoundingClientRect().top > innerHeight)
        """;

    private const string Reduce = """
        async ([now, before]) => {
            const draw = async (base64, width, height) => {
                const bytes = Uint8Array.from(atob(base64), char => char.charCodeAt(0));
                const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
                const canvas = document.createElement('canvas');
                canvas.width = width ?? Math.round(image.width / 8);
                canvas.height = height ?? Math.round(image.height / 8);
                const context = canvas.getContext('2d');
                context.imageSmoothingQuality = 'high';
                // Halved three times: a single step would leave pixels out.
                let from = image;
                for (let size = image.width / 2; size > canvas.width; size /= 2) {
                    const half = new OffscreenCanvas(Math.round(from.width / 2), Math.round(from.height / 2));
                    half.getContext('2d').drawImage(from, 0, 0, half.width, half.height);
                    from = half;
                }
                context.drawImage(from, 0, 0, canvas.width, canvas.height);
                return canvas;
            };
            const small = await draw(now);
            const answer = { picture: small.toDataURL('image/png').split(',')[1], mean: 0, share: 0 };
            if (before) {
                const known = await draw(before, small.width, small.height);
                const pixels = canvas => canvas.getContext('2d').getImageData(0, 0, small.width, small.height).data;
                const [a, b] = [pixels(small), pixels(known)];
                let [sum, strong] = [0, 0];
                for (let i = 0; i < a.length; i += 4) {
                    const differences = [0, 1, 2].map(channel => Math.abs(a[i + channel] - b[i + channel]));
                    sum += differences[0] + differences[1] + differences[2];
                    if (Math.max(...differences) > 48) strong++;
                }
                answer.mean = sum / (small.width * small.height * 3);
                answer.share = strong / (small.width * small.height);
            }
            return JSON.stringify(answer);
        }
        """;

    /// <summary>Expects a page to look as it did.</summary>
    /// <param name="page">The page, when nothing on it moves.</param>
    /// <param name="name">Name of the picture.</param>
    /// <param name="document">Whether the documentation shows it, too.</param>
    public static async Task ExpectLookAsync(this IPage page, string name, bool document = false)
    {
        var path = Path.Combine(PublishedService.Repository, "tests/PaDiM.EndToEnd.Tests/Looks", $"{name}.png");
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await page.WaitForFunctionAsync(Drawn);
        var shot = await page.ScreenshotAsync(new() { Animations = ScreenshotAnimations.Disabled });
        var known = !Writes && File.Exists(path) ? Convert.ToBase64String(await File.ReadAllBytesAsync(path)) : null;
        var answer = JsonSerializer.Deserialize<Answer>(
            await page.EvaluateAsync<string>(Reduce, new[] { Convert.ToBase64String(shot), known }),
            JsonSerializerOptions.Web
        )!;
        if (Writes)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, Convert.FromBase64String(answer.Picture));
            if (document)
                await page.ScreenshotAsync(
                    new()
                    {
                        Path = Path.Combine(PublishedService.Repository, "docs/images", $"console-{name}.jpg"),
                        Type = ScreenshotType.Jpeg,
                        Quality = 80,
                    }
                );
            return;
        }
        Assert.True(known is not null, $"{path} is not there. PADIM_WRITE_PICTURES=1 makes it.");
        Assert.True(
            answer.Mean <= MaxMean && answer.Share <= MaxShare,
            $"{name} looks different: {answer.Mean:F1} on average, {answer.Share:P1} of pixels strongly. If it should, "
                + "PADIM_WRITE_PICTURES=1 writes the pictures again."
        );
    }

    private sealed record Answer(string Picture, double Mean, double Share);
}
