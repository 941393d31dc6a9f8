using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class ScrubTests : IDisposable
{
    private readonly TempDirectory _data = new();
    private CategoryClient _category = null!;

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_scrub_tells_missing_damaged_and_orphaned_files_apart()
    {
        await using var service = await PrepareAsync();
        var directory = service.Get<DataDirectory>();
        Assert.True((await service.Get<Scrub>().RunAsync(null, default)).IsClean());

        var images = (await service.Http.GetJsonAsync($"{_category.Url}/images?label=normal"))
            .Items()
            .Select(image => service.GetBlobPath(image.Text("sha256")))
            .ToArray();
        File.Delete(images[0]);
        await File.AppendAllTextAsync(images[1], "x");
        var statistics = Directory
            .GetFiles(directory.Models, "*.statistics.safetensors", SearchOption.AllDirectories)
            .Single();
        var bytes = await File.ReadAllBytesAsync(statistics);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(statistics, bytes);
        var stranger = Path.Combine(directory.Models, "part", "nobody-1.safetensors");
        await File.WriteAllTextAsync(stranger, "x");
        File.SetLastWriteTimeUtc(stranger, DateTime.UtcNow.AddHours(-1));

        var report = await ScrubAsync(service);
        Assert.Equal(
            (1, 2, 0, 1, "ok"),
            (Count("missing"), Count("damaged"), Count("mended"), Count("orphans"), report.Text("database"))
        );
        Assert.Equal(8, report["checked"]!.GetValue<int>());
        Assert.Equal((Relative(images[0]), "image", "part"), Told(report["missing"]!.Items("files").Single()));
        Assert.Equal(
            [(Relative(images[1]), "image", "part"), (Relative(statistics), "statistics", "part")],
            report["damaged"]!.Items("files").Select(Told).Order()
        );
        Assert.Equal(Relative(stranger), report["orphans"]!.Items("files").Single().Text("path"));
        Assert.True(File.Exists(stranger));

        // What a scrub finds, its owner can mend.
        for (var seed = 0; seed < 4; seed++)
            await _category.UploadRawAsync(Parts.Good(seed), "image/bmp");
        await _category.FitAsync();
        report = await ScrubAsync(service);
        Assert.Equal((0, 0), (Count("missing"), Count("damaged")));

        int Count(string kind) => report[kind]!["count"]!.GetValue<int>();
        string Relative(string path) => Path.GetRelativePath(_data.Path, path);
    }

    [Fact]
    public async Task A_scrub_is_due_a_day_after_the_last_one_by_any_process()
    {
        var time = new ManualTime();
        await using (var service = await PrepareAsync())
        {
            Assert.True(NewScrubber(service).IsDue());
            await ScrubAsync(service);
            Assert.False(NewScrubber(service).IsDue());
        }
        await using var next = await RunningService.StartAsync(_data.Path);
        Assert.False(NewScrubber(next).IsDue());
        time.Advance(TimeSpan.FromHours(25));
        Assert.True(NewScrubber(next).IsDue());
        Assert.False(NewScrubber(next, hours: 0).IsDue());

        Scrubber NewScrubber(RunningService service, int hours = 24) =>
            new(
                service.Get<Scrub>(),
                service.Get<DataDirectory>(),
                service.Get<Duties>(),
                Options.Create(new MaintenanceOptions { ScrubHours = hours }),
                time,
                NullLogger<Scrubber>.Instance
            );
    }

    [Fact]
    public async Task The_command_finds_the_same_and_says_so_by_its_exit_code()
    {
        await using var service = await PrepareAsync();
        var (clean, output, error) = await ServiceCommand.RunAsync("scrub", _data.Path);
        Assert.True(clean == 0, output + error);
        Assert.Equal(8, JsonNode.Parse(output)!["checked"]!.GetValue<int>());
        File.Delete(Directory.GetFiles(service.Get<DataDirectory>().Images, "*", SearchOption.AllDirectories)[0]);
        (var lossy, output, _) = await ServiceCommand.RunAsync("scrub", _data.Path);
        Assert.Equal((1, 1), (lossy, JsonNode.Parse(output)!["missing"]!["count"]!.GetValue<int>()));
        Assert.Equal("image", JsonNode.Parse(output)!["missing"]!.Items("files")[0].Text("kind"));
        // A machine without the device has the same files.
        var elsewhere = await ServiceProcess.RunInAsync(
            new Dictionary<string, string> { ["Padim__Device"] = "cuda", ["Padim__DefaultBackbone"] = "nowhere" },
            "scrub",
            _data.Path
        );
        Assert.True((elsewhere.ExitCode, elsewhere.Error.Length) == (1, 0), $"{elsewhere}");
        Assert.Equal(1, (await ServiceCommand.RunAsync("scrub", _data.Combine("nothing"))).ExitCode);
        Assert.Equal(2, (await ServiceCommand.RunAsync("scrub")).ExitCode);
    }

    /// <summary>Five images, a mask, and a model with its statistics.</summary>
    private async Task<RunningService> PrepareAsync()
    {
        var service = await RunningService.StartAsync(_data.Path, ("ScrubMegabytesPerSecond", 0));
        _category = service.Category("part");
        await _category.CreateAsync();
        await _category.UploadPartsAsync(0, 4);
        await (
            await _category.UploadAsync([("x.bmp", Parts.Bad(1))], "?label=anomalous", [("x.bmp", Parts.BadMask())])
        ).JsonAsync(200);
        await _category.FitAsync();
        return service;
    }

    private static async Task<JsonNode> ScrubAsync(RunningService service)
    {
        var response = await service.Http.PostAsync("/v1/system/scrub", null);
        Assert.Equal("/v1/system/scrub", response.Headers.Location?.OriginalString);
        await response.JsonAsync(202);
        JsonNode? seen = null;
        await Eventually.TrueAsync(
            async () => !(seen = await service.Http.GetJsonAsync("/v1/system/scrub"))["running"]!.GetValue<bool>(),
            () => $"{seen}"
        );
        return seen!["lastReport"]!;
    }

    private static (string Path, string Kind, string Category) Told(JsonNode file) =>
        (file.Text("path"), file.Text("kind"), file.Text("category"));
}
