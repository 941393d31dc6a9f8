using System.Text.Json.Nodes;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Backup and restore, by the program's own commands, beside a service at work.</summary>
public sealed class BackupTests : IDisposable
{
    private readonly TempDirectory _root = new();

    private string Data => _root.Combine("data");

    private string Backup => _root.Combine("backup");

    private string Restored => _root.Combine("restored");

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task What_is_copied_while_fits_and_uploads_run_opens_scrubs_clean_and_scores_the_same()
    {
        double score;
        JsonNode report;
        await using (var service = await RunningService.StartAsync(Data))
        {
            var category = service.Category("part");
            await category.CreateFittedAsync(6);
            score = (await category.ScoreAsync(Parts.Bad(1), "?model=1")).Number("score");
            using var stop = new CancellationTokenSource();
            var work = Task.WhenAll(UploadAndDeleteAsync(service, stop.Token), FitAsync(service, stop.Token));
            for (var round = 0; round < 2; round++)
                report = await RunProcessAsync(0, "backup", Data, Backup);
            report = await RunProcessAsync(0, "backup", Data, Backup);
            Assert.True(report["kept"]!.GetValue<int>() >= 7, $"{report}");
            await stop.CancelAsync();
            await work;
        }
        report = await RunProcessAsync(0, "restore", Backup, Restored);
        Assert.Empty(report.Items("lost"));
        var (exitCode, _, error) = await ServiceProcess.RefusedAsync(Backup);
        Assert.True(exitCode == 1 && error.Contains("is a backup", StringComparison.Ordinal), error);

        await using var restored = await RunningService.StartAsync(Restored);
        var part = restored.Category("part");
        Assert.Equal(score, (await part.ScoreAsync(Parts.Bad(1), "?model=1")).Number("score"));
        var scrubbed = await restored.Get<Scrub>().RunAsync(null, default);
        Assert.True(scrubbed.IsClean(), $"{scrubbed}");
        Assert.Equal(0, scrubbed.Orphans.Count);
        await part.FitAsync();
        await part.ScoreAsync(Parts.Bad(1));
    }

    [Fact]
    public async Task A_second_backup_copies_what_is_new_and_drops_what_is_gone()
    {
        await using var service = await RunningService.StartAsync(Data, ("JobWorkers", 0));
        var category = service.Category("part");
        await category.CreateAsync();
        var images = await category.UploadPartsAsync(0, 3);
        Assert.Equal((3, 0), Counts(await RunAsync(0, "backup", Data, Backup)));
        await category.UploadPartsAsync(3, 1);
        await service.Http.DeleteAsync($"{category.Url}/images/{images[0]}");
        Assert.Equal((1, 2), Counts(await RunAsync(0, "backup", Data, Backup)));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(Backup, "images"), "*", SearchOption.AllDirectories).Length);

        // Bits that rotted in the backup are copied again.
        await File.AppendAllTextAsync(
            Directory.GetFiles(Path.Combine(Backup, "images"), "*", SearchOption.AllDirectories)[0],
            "x"
        );
        Assert.Equal((1, 2), Counts(await RunAsync(0, "backup", Data, Backup)));
    }

    [Fact]
    public async Task What_is_lost_is_named_and_the_rest_is_copied()
    {
        await using (var service = await RunningService.StartAsync(Data, ("JobWorkers", 0)))
        {
            await service.Category("part").CreateAsync();
            await service.Category("part").UploadPartsAsync(0, 3);
        }
        var damaged = Directory.GetFiles(new DataDirectory(Data).Images, "*", SearchOption.AllDirectories)[0];
        await File.AppendAllTextAsync(damaged, "x");
        var report = await RunAsync(1, "backup", Data, Backup);
        Assert.Equal(Path.GetRelativePath(Data, damaged), report.Items("lost").Single().Text("path"));
        report = await RunAsync(1, "restore", Backup, Restored);
        Assert.Equal((2, 1), (report["copied"]!.GetValue<int>(), report.Items("lost").Length));
        await using var restored = await RunningService.StartAsync(Restored, ("JobWorkers", 0));
        Assert.Equal(3, (await restored.Http.GetJsonAsync("/v1/categories/part/images")).Items().Length);
    }

    [Fact]
    public async Task A_copy_from_before_stays_where_the_source_has_lost_its_file_even_if_nobody_can_read_it_today()
    {
        await using (var service = await RunningService.StartAsync(Data, ("JobWorkers", 0)))
        {
            await service.Category("part").CreateAsync();
            await service.Category("part").UploadPartsAsync(0, 3);
        }
        await RunAsync(0, "backup", Data, Backup);
        var lost = Directory.GetFiles(new DataDirectory(Data).Images, "*", SearchOption.AllDirectories)[0];
        var copy = Path.Combine(Backup, Path.GetRelativePath(Data, lost));
        File.Delete(lost);
        await File.AppendAllTextAsync(copy, "x");
        var report = await RunAsync(1, "backup", Data, Backup);
        Assert.Equal((0, "missing"), (report["copied"]!.GetValue<int>(), report.Items("lost").Single().Text("fault")));
        Assert.True(File.Exists(copy));
        Assert.Equal("damaged", (await RunAsync(1, "restore", Backup, Restored)).Items("lost").Single().Text("fault"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_named_in_the_backup_and_by_the_restore_and_the_rest_is_copied()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has a file that fails with EIO for every user.");
        await using (var service = await RunningService.StartAsync(Data, ("JobWorkers", 0)))
        {
            await service.Category("part").CreateAsync();
            await service.Category("part").UploadPartsAsync(0, 3);
        }
        var bad = Directory.GetFiles(new DataDirectory(Data).Images, "*", SearchOption.AllDirectories)[0];
        File.Delete(bad);
        // Nothing is mapped at address 0: EIO, as from a bad sector.
        File.CreateSymbolicLink(bad, "/proc/self/mem");
        var (exitCode, output, error) = await ServiceCommand.RunAsync("backup", Data, Backup);
        var report = JsonNode.Parse(output)!;
        Assert.True((exitCode, report["copied"]!.GetValue<int>()) == (1, 2), $"{exitCode}: {output}{error}");
        Assert.Contains($"{Path.GetRelativePath(Data, bad)} of part: unreadable", error, StringComparison.Ordinal);
        Told(report);
        Told(JsonNode.Parse(await File.ReadAllTextAsync(new DataDirectory(Backup).BackupMark))!);
        report = await RunAsync(1, "restore", Backup, Restored);
        Told(report);
        Assert.Equal(2, report["copied"]!.GetValue<int>());

        void Told(JsonNode told)
        {
            var lost = Assert.Single(told.Items("lost"));
            Assert.Equal(
                (Path.GetRelativePath(Data, bad), "image", "part", "unreadable"),
                (lost.Text("path"), lost.Text("kind"), lost.Text("category"), lost.Text("fault"))
            );
        }
    }

    [Fact]
    public async Task Folders_that_hold_something_else_are_left_alone()
    {
        await using (await RunningService.StartAsync(Data, ("JobWorkers", 0))) { }
        await RunAsync(0, "backup", Data, Backup);
        await RefusedAsync("not a data directory", "backup", _root.Combine("nothing"), Backup);
        await RefusedAsync("is a data directory and not a backup", "backup", Backup, Data);
        await RefusedAsync("is inside", "backup", Data, Path.Combine(Data, "backup"));
        await RefusedAsync("is not empty", "restore", Backup, Data);
        Directory.CreateDirectory(_root.Combine("cut-short"));
        await RefusedAsync("it is not a backup", "restore", _root.Combine("cut-short"), Restored);
        Assert.Equal(2, (await ServiceCommand.RunAsync("backup", Data)).ExitCode);

        async Task RefusedAsync(string why, params string[] arguments)
        {
            var (exitCode, _, error) = await ServiceCommand.RunAsync(arguments);
            Assert.True(exitCode == 1 && error.Contains(why, StringComparison.Ordinal), $"{exitCode}: {error}");
        }
    }

    private static (int Copied, int Kept) Counts(JsonNode report) =>
        (report["copied"]!.GetValue<int>(), report["kept"]!.GetValue<int>());

    private static async Task<JsonNode> RunAsync(int expected, params string[] arguments) =>
        Expect(expected, await ServiceCommand.RunAsync(arguments));

    private static async Task<JsonNode> RunProcessAsync(int expected, params string[] arguments) =>
        Expect(expected, await ServiceProcess.RunAsync(arguments));

    private static JsonNode Expect(int expected, (int ExitCode, string Output, string Error) ran)
    {
        Assert.True(expected == ran.ExitCode, $"{ran}");
        return JsonNode.Parse(ran.Output)!;
    }

    private static async Task UploadAndDeleteAsync(RunningService service, CancellationToken cancellationToken)
    {
        var category = service.Category("busy");
        await category.CreateAsync();
        for (var seed = 100; !cancellationToken.IsCancellationRequested; seed++)
        {
            var images = await category.UploadPartsAsync(seed, 2);
            await service.Http.DeleteAsync($"{category.Url}/images/{images[0]}", CancellationToken.None);
        }
    }

    /// <summary>
    /// Versions come, and all but the first and the newest go at once: their files vanish while they are copied.
    /// </summary>
    private static async Task FitAsync(RunningService service, CancellationToken cancellationToken)
    {
        var category = service.Category("part");
        for (var version = 2; !cancellationToken.IsCancellationRequested; version++)
        {
            Assert.Equal(version, await category.FitAsync());
            if (version > 2)
                await service.Http.DeleteAsync($"{category.Url}/models/{version - 1}", CancellationToken.None);
        }
    }
}
