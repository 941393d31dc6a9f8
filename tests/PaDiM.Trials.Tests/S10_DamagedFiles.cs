using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>Files of every kind, damaged at random, in a process that may be lost: <c>tools/PaDiM.Fuzz</c>.</summary>
public sealed partial class S10_DamagedFiles
{
    private const int BoundedMemory = 512;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    [Fact]
    public Task Damaged_images_end_no_process_and_never_hang() => RunAsync("images", ImageFixtures.Folder);

    [Fact]
    public async Task Damaged_models_end_no_process_and_never_hang()
    {
        using var data = new TempDirectory();
        var corpus = Directory.CreateDirectory(data.Combine("corpus")).FullName;
        await using (var service = await RunningService.StartAsync(data.Combine("data")))
        {
            foreach (var (name, count) in new[] { ("few", 3), ("many", 25) })
            {
                var category = service.Category(name);
                await category.CreateAsync(
                    new
                    {
                        imageSize = 32,
                        reduction = new { dimensions = 8 },
                        blurSigma = 1,
                    }
                );
                await category.UploadPartsAsync(0, count);
                await category.FitAsync();
                await File.WriteAllBytesAsync(
                    Path.Combine(corpus, $"{name}.safetensors"),
                    await service.Http.GetByteArrayAsync($"{category.Url}/models/1/export")
                );
            }
        }
        await RunAsync("models", corpus);
    }

    private static async Task RunAsync(string what, string corpus)
    {
        using var keep = new TempDirectory();
        var seed = TrialLength.Full ? (int)(Stopwatch.GetTimestamp() & int.MaxValue) : 1;
        using var process = Process.Start(
            new ProcessStartInfo(
                "dotnet",
                [
                    Path.Combine(AppContext.BaseDirectory, "PaDiM.Fuzz.dll"),
                    what,
                    corpus,
                    $"{seed}",
                    $"{TrialLength.Of(5, 300)}",
                    keep.Path,
                ]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync();
        var last = "";
        try
        {
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(Hang) is { } line)
                last = line;
            await process.WaitForExitAsync();
        }
        catch (TimeoutException)
        {
            process.Kill();
            Assert.Fail(
                $"Seed {seed}: no input was finished for {Hang}: "
                    + $"{Convert.ToBase64String(await File.ReadAllBytesAsync(keep.Combine("input.bin")))}"
            );
        }
        Assert.True(
            process.ExitCode == 0,
            process.ExitCode == 0
                ? ""
                : $"Seed {seed}, exit code {process.ExitCode}: {await errors} "
                    + $"{Convert.ToBase64String(await File.ReadAllBytesAsync(keep.Combine("input.bin")))}"
        );
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}, seed {seed}: {last}");
        Assert.InRange(int.Parse(Peak().Match(last).Groups[1].Value, CultureInfo.InvariantCulture), 1, BoundedMemory);
    }

    [GeneratedRegex(@"peak (\d+) MiB")]
    private static partial Regex Peak();
}
