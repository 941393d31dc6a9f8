using System.Diagnostics;
using System.Text.Json.Nodes;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.EndToEnd.Tests;

/// <summary><c>padim watch</c>, as users start it, with a running service.</summary>
public sealed class WatchTests(PublishedService service) : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_file_that_arrives_is_scored_once_and_moved()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Ctrl+C is sent as a signal.");
        await service.Client.PrepareSyntheticAsync("watched");
        var padim = await PublishedService.PublishAsync("PaDiM.Cli", "padim", _folder.Combine("program"));
        var arriving = Directory.CreateDirectory(_folder.Combine("arriving")).FullName;
        await WriteAsync("old.bmp", SyntheticParts.Good(1).ToBmp());
        using var watching = Process.Start(
            new ProcessStartInfo(
                padim,
                [
                    "watch",
                    arriving,
                    "--category",
                    "watched",
                    "--url",
                    service.Address.ToString(),
                    "--names",
                    @"(?<lot>\w+) (?<part>\w+)",
                    "--station",
                    "camera 2",
                    "--sink",
                    $"move:{_folder.Combine("done")}",
                    "--sink",
                    $"jsonl:{_folder.Combine("lines")}",
                    "--sink",
                    $"csv:{_folder.Combine("table")}",
                ]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        Assert.Contains("watching", await watching.StandardError.ReadLineAsync(), StringComparison.Ordinal);
        var (output, errors) = (watching.StandardOutput.ReadToEndAsync(), watching.StandardError.ReadToEndAsync());

        // A camera that writes slowly: the first half alone would be a damaged image.
        var bytes = SyntheticParts.Good(2).ToBmp();
        await using (var slow = File.Create(Path.Combine(arriving, "L7 Träger.bmp")))
        {
            await slow.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await slow.FlushAsync();
            await Task.Delay(300);
            await slow.WriteAsync(bytes.AsMemory(bytes.Length / 2));
        }
        await WriteAsync("damaged.png", "no image"u8.ToArray());
        for (var seed = 10; seed < 40; seed++)
            await WriteAsync($"L8 {seed}.bmp", SyntheticParts.Good(seed).ToBmp());
        await WaitForAsync(32);
        // The folder goes away and comes back, as a share does.
        Directory.Move(arriving, arriving + "-away");
        await Task.Delay(600);
        Directory.Move(arriving + "-away", arriving);
        await WriteAsync("late.bmp", SyntheticParts.Good(50).ToBmp());
        await WaitForAsync(33);

        using (var signal = Process.Start("kill", ["-INT", $"{watching.Id}"]))
            await signal.WaitForExitAsync();
        await watching.WaitForExitAsync();
        Assert.True(watching.ExitCode == 0, await output + await errors);
        JsonNode[] lines =
        [
            .. (await File.ReadAllLinesAsync(_folder.Combine("lines"))).Select(line => JsonNode.Parse(line)!),
        ];
        Assert.Equal(33, lines.Select(line => (string?)line["inspectionId"]).Distinct().Count());
        var slowOne = lines.Single(line => (string?)line["file"] == "L7 Träger.bmp");
        Assert.Equal(
            ("L7", "Träger", "camera 2"),
            ((string?)slowOne["lotId"], (string?)slowOne["partId"], (string?)slowOne["stationId"])
        );
        Assert.NotNull(slowOne["score"]);
        Assert.Equal("image_unreadable", (string?)lines.Single(line => (string?)line["file"] == "damaged.png")["code"]);
        Assert.True(File.Exists(_folder.Combine("done", "failed", "damaged.png")));
        Assert.Equal(34, (await File.ReadAllLinesAsync(_folder.Combine("table"))).Length);
        Assert.Equal(["old.bmp"], Directory.GetFiles(arriving).Select(Path.GetFileName));

        Task WriteAsync(string name, byte[] image) => File.WriteAllBytesAsync(Path.Combine(arriving, name), image);

        async Task WaitForAsync(int count)
        {
            var started = Stopwatch.StartNew();
            while (Count() < count)
            {
                Assert.True(started.Elapsed < TimeSpan.FromSeconds(60), $"{Count()} of {count} files.");
                Assert.False(watching.HasExited, "It has ended.");
                await Task.Delay(50);
            }
        }

        int Count() =>
            Directory.Exists(_folder.Combine("done"))
                ? Directory.GetFiles(_folder.Combine("done"), "*", SearchOption.AllDirectories).Length
                : 0;
    }
}
