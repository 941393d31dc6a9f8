using System.Diagnostics;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>A disk of 64 MB that really fills up.</summary>
public sealed class R04_FullDisk
{
    [Fact]
    public async Task Scoring_goes_on_and_everything_else_comes_back_without_a_restart()
    {
        using var folder = new TempDirectory();
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && await RunAsync("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder.Path),
            "A small disk is made by mounting tmpfs, which needs root."
        );
        try
        {
            await FillAsync(folder.Path);
        }
        finally
        {
            Assert.True(await RunAsync("umount", "-l", folder.Path));
        }
    }

    private static async Task FillAsync(string disk)
    {
        var data = Path.Combine(disk, "data");
        var ballast = Path.Combine(disk, "ballast");
        await using var service = await RunningService.StartAsync(
            data,
            ("MinFreeBytes", 4 << 20),
            ("JobLeaseSeconds", 3)
        );
        var category = service.Category("part");
        await category.CreateFittedAsync(4);
        var score = (await category.ScoreAsync(Parts.Bad(1))).Number("score");
        var scores = 1;

        // To the low-water mark by uploads alone, and what a few that were under way take beyond it.
        var seed = 100;
        var stored = 4;
        for (; ; )
        {
            await File.AppendAllTextAsync(ballast, new string(' ', 1 << 20));
            var answers = await Task.WhenAll(
                Enumerable
                    .Range(0, 4)
                    .Select(_ => category.UploadRawAsync(Parts.Good(Interlocked.Increment(ref seed)), "image/bmp"))
            );
            stored += answers.Count(answer => answer.IsSuccessStatusCode);
            foreach (var refused in answers.Where(answer => !answer.IsSuccessStatusCode))
                await refused.ProblemAsync(507, "storage_full");
            if (answers.All(answer => !answer.IsSuccessStatusCode))
                break;
        }
        Assert.True(new DriveInfo(disk).AvailableFreeSpace > 1 << 20, "Nothing of the reserve is left.");
        await (await service.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(507, "storage_full");
        await StillScoresAsync();

        // To the last byte, by somebody else: not even the database can be written now.
        using (var rest = new FileStream(ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var page = new byte[4096];
            try
            {
                for (; ; )
                    rest.Write(page);
            }
            catch (IOException)
            {
                // Full.
            }
        }
        for (var k = 0; k < 3; k++)
        {
            await (await category.UploadRawAsync(Parts.Good(9000 + k), "image/bmp")).ProblemAsync(507, "storage_full");
            var threshold = await category.PatchThresholdAsync(new { threshold = 3.0 + k });
            if (!threshold.IsSuccessStatusCode)
                await threshold.ProblemAsync(507, "storage_full");
            await StillScoresAsync();
        }
        // Ready, and it says that inspections wait in memory.
        await ReadyAsync("degraded");

        File.Delete(ballast);
        await ReadyAsync("ok");
        await Eventually.TrueAsync(
            async () => (await service.Http.GetJsonAsync("/v1/inspections?category=part")).Items().Length == scores,
            () => "Inspections that waited are lost."
        );
        await (await category.UploadRawAsync(Parts.Good(9999), "image/bmp")).JsonAsync(200);
        Assert.Equal(stored + 1, (await service.Http.GetJsonAsync(category.Url))["images"]!["normal"]!.GetValue<int>());
        await category.FitAsync();
        Assert.Equal("ok", Trial.IntegrityOf(data));
        await Trial.IsWholeAsync(service);
        Trial.Tell($"507 from the mark on, {stored - 4} images stored before it");

        async Task StillScoresAsync()
        {
            Assert.Equal(score, (await category.ScoreAsync(Parts.Bad(1))).Number("score"));
            scores++;
        }

        Task ReadyAsync(string status) =>
            Eventually.TrueAsync(
                async () => (await service.Http.GetJsonAsync("/health/ready")).Text("status") == status,
                () => $"The service is not {status}."
            );
    }

    private static async Task<bool> RunAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
