using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Hours of a mixed day: images of many sizes and formats, more categories than the cache holds, fits one after the
/// other. Memory and handles stay flat, and nothing is lost.
/// </summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class R13_Soak(ITestOutputHelper output)
{
    private const int Categories = 4,
        Senders = 3;

    /// <summary>
    /// Before memory is looked at: each category has been up and driven out, whatever the speed of the machine.
    /// </summary>
    private const int WarmUpFits = 2 * Categories;

    /// <summary>Counted, not timed: a machine that stalls for seconds still gives every quarter its samples.</summary>
    private const int Samples = 200;

    /// <summary>
    /// Between the images of a sender until then. Scores go before fits: without a pause the fits would take long.
    /// </summary>
    private static readonly TimeSpan WarmUpPause = TimeSpan.FromMilliseconds(50);
    private const long GrowthLimit = 100L << 20;

    /// <summary>A night in full; <c>PADIM_SOAK</c> says how many seconds otherwise.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable("PADIM_SOAK"), out var seconds)
            ? seconds
            : TrialLength.Of(12, 7 * 3600)
    );

    [Fact]
    public async Task Memory_and_handles_stay_flat_and_nothing_is_lost()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Memory and handles are read from /proc.");
        using var data = new TempDirectory();
        // Two of the four models fit: each category that comes up drives another one out.
        await using var service = await ServiceProcess.StartAsync(data.Path, ("ModelCacheBytes", 1 << 20));
        var categories = Enumerable
            .Range(0, Categories)
            .Select(i => new CategoryClient(service.Http, $"soak-{i}"))
            .ToArray();
        foreach (var category in categories)
        {
            await category.CreateFittedAsync(8, Settings(0));
        }
        var images = Images();
        var process = new ProcessMemory(service.Id);
        var clock = new Stopwatch();
        var samples = new List<Sample>();
        var answers = new ConcurrentBag<(TimeSpan At, double Milliseconds)>();
        var fits = 0;
        var isOver = false;

        var work = Enumerable.Range(0, Senders).Select(SendAsync).Append(FitAsync()).ToArray();
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref fits) > WarmUpFits), () => $"{fits} fits");
        clock.Start();
        while (samples.Count < Samples)
        {
            samples.Add(
                new Sample(clock.Elapsed, process.Now, Directory.GetFileSystemEntries($"/proc/{service.Id}/fd").Length)
            );
            await Task.Delay(Duration / Samples);
        }
        Volatile.Write(ref isOver, true);
        await Task.WhenAll(work);

        Assert.Equal(fits + Categories, await NewestVersionsAsync(service.Http, categories));
        Assert.All(
            (await service.Http.GetJsonAsync("/v1/jobs?limit=1000")).Items(),
            job => Assert.Equal("succeeded", job.Text("state"))
        );
        var early = samples[(Samples / 4)..(Samples / 2)];
        var late = samples[(3 * Samples / 4)..];
        var memory = LowWater(late) - LowWater(early);
        var handles = Median(late) - Median(early);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{clock.Elapsed}: {answers.Count} images, {fits} fits; p99 {P99(answers, early):f1} ms in the second "
                    + $"quarter, {P99(answers, late):f1} ms in the last; memory {LowWater(early) >> 20} MiB, then "
                    + $"{memory >> 20:+0;-0;0} MiB; handles {Median(early)}, then {handles:+0;-0;0}"
            )
        );
        Assert.True(memory <= GrowthLimit, $"{memory >> 20} MiB more");
        Assert.True(handles <= 16, $"{handles} handles more");

        async Task SendAsync(int sender)
        {
            for (var k = sender; !Volatile.Read(ref isOver); k++)
            {
                var began = clock.Elapsed;
                var (bytes, mediaType) = images[k % images.Length];
                var response = await categories[k / 7 % Categories]
                    .SendScoreAsync(bytes, k % 5 == 0 ? "?heatmap=overlay" : "", mediaType);
                await response.JsonAsync(200);
                answers.Add((began, (clock.Elapsed - began).TotalMilliseconds));
                if (Volatile.Read(ref fits) <= WarmUpFits)
                    await Task.Delay(WarmUpPause);
            }
        }

        async Task FitAsync()
        {
            while (!Volatile.Read(ref isOver))
            {
                var category = categories[fits % Categories];
                await (await service.Http.PutAsJsonAsync(category.Url, Settings(++fits))).JsonAsync(200);
                await category.FitAsync();
                if ((await service.Http.GetJsonAsync($"{category.Url}/models")).Items() is [_, _, _, var oldest, ..])
                    Assert.Equal(
                        204,
                        (int)
                            (
                                await service.Http.DeleteAsync($"{category.Url}/models/{oldest.Number("version")}")
                            ).StatusCode
                    );
            }
        }
    }

    /// <summary>Versions count up: their sum is the number of fits that were published.</summary>
    private static async Task<int> NewestVersionsAsync(HttpClient http, IEnumerable<CategoryClient> categories)
    {
        var sum = 0;
        foreach (var category in categories)
            sum += (int)(await http.GetJsonAsync($"{category.Url}/models")).Items()[0].Number("version");
        return sum;
    }

    private static object Settings(int seed) =>
        new
        {
            imageSize = 64,
            reduction = new { dimensions = 16, seed },
            blurSigma = 2,
        };

    private static (byte[] Bytes, string MediaType)[] Images() =>
        [
            .. new[] { "png", "jpeg", "tiff", "webp" }.Select(
                (format, i) => (Parts.Encoded(i, format), $"image/{format}")
            ),
            .. new[] { 32, 300, 1000, 1700 }.Select(side => (Parts.Plain(side, side * 3 / 4), "image/bmp")),
            (Parts.Bad(1), "image/bmp"),
        ];

    /// <summary>
    /// What is held, whenever the collector was last at work: a leak lifts the lowest samples as well.
    /// </summary>
    private static long LowWater(List<Sample> samples) =>
        samples.Select(s => s.Resident).Order().ElementAt(samples.Count / 10);

    private static long Median(List<Sample> samples) =>
        samples.Select(s => s.Handles).Order().ElementAt(samples.Count / 2);

    /// <summary>The slowest answers of the requests that began between the first and the last sample.</summary>
    private static double P99(IEnumerable<(TimeSpan At, double Milliseconds)> answers, List<Sample> samples)
    {
        var window = answers
            .Where(answer => answer.At >= samples[0].At && answer.At < samples[^1].At)
            .Select(answer => answer.Milliseconds)
            .Order()
            .ToArray();
        return window.Length == 0 ? double.NaN : window[(int)(0.99 * (window.Length - 1))];
    }

    private sealed record Sample(TimeSpan At, long Resident, long Handles);
}
