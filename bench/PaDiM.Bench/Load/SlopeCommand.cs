using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using PaDiM.Bench.Images;
using PaDiM.Bench.Measuring;

namespace PaDiM.Bench.Load;

/// <summary>
/// Measures whether the memory of the service grows with the number of large files of many formats, while two models
/// take turns in a cache for one.
/// </summary>
internal static class SlopeCommand
{
    private const int Senders = 4,
        Samples = 120,
        FilesPerModel = 50;

    private static readonly (int Width, int Height)[] Sizes = [(1600, 1250), (2592, 1944), (4000, 3000), (4800, 3600)];

    private static readonly string[] Formats = ["tiff", "progressive", "png", "bmp"];

    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(20);

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds")
        {
            Description = "How long to send files.",
            DefaultValueFactory = _ => 600,
        };
        var arenas = new Option<int>("--arenas") { Description = "MALLOC_ARENA_MAX of the service; 0 for none." };
        var command = Workbench.CreateCommand(
            "slope",
            "Measure the service over HTTP: whether its memory grows with large files of many formats.",
            (workbench, arguments) => RunAsync(workbench, arguments.GetValue(seconds), arguments.GetValue(arenas))
        );
        command.Add(seconds);
        command.Add(arenas);
        return command;
    }

    private static async Task RunAsync(Workbench workbench, int seconds, int arenas)
    {
        byte[][] files =
        [
            .. Sizes.SelectMany(size =>
            {
                var image = CameraImage.Create(size.Width, size.Height);
                return Formats.Select(format => CameraImage.Encode(image, format));
            }),
        ];
        // 45 MB each: one of the two models at a time.
        var environment = new Dictionary<string, string>
        {
            ["Padim__ModelCacheBytes"] = $"{60 << 20}",
            // Four large files at a time on two busy cores: none is given up.
            ["Padim__DecodeTimeoutMs"] = "600000",
        };
        if (arenas > 0)
            environment["MALLOC_ARENA_MAX"] = $"{arenas}";
        await using var service = await RunningService.StartAsync(workbench, "tiny", environment: environment);
        await service.FitAsync("other", new { backbone = "tiny" }, workbench.Files);
        var clock = Stopwatch.StartNew();
        var end = TimeSpan.FromSeconds(seconds);
        var sent = 0;
        var senders = Enumerable
            .Range(0, Senders)
            .Select(_ =>
                Task.Run(async () =>
                {
                    while (clock.Elapsed < end)
                    {
                        var k = Interlocked.Increment(ref sent) - 1;
                        var category = k / FilesPerModel % 2 == 0 ? "bench" : "other";
                        await service.ScoreAsync(files[k * 7 % files.Length], category);
                    }
                })
            )
            .ToArray();
        var samples = new List<(double Files, double Mebibytes)>();
        while (samples.Count < Samples)
        {
            await Task.Delay(end / Samples);
            samples.Add((Volatile.Read(ref sent), service.ResidentBytes / 1048576.0));
        }
        await Task.WhenAll(senders);
        var scored = sent / clock.Elapsed.TotalSeconds;
        await Task.Delay(IdleTime);

        var table = new ReportTable("files", "resident, MiB: least", "most");
        foreach (var tenth in samples.Chunk(Samples / 10))
            table.Add(
                $"{tenth[^1].Files:f0}",
                Format(tenth.Min(s => s.Mebibytes)),
                Format(tenth.Max(s => s.Mebibytes))
            );
        table.Print(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{files.Length} files of 2 to 17 megapixels, {Senders} senders, a change of the model every {FilesPerModel} "
                    + $"files, {(arenas > 0 ? $"MALLOC_ARENA_MAX={arenas}" : "no variable")}: {scored:f1} files/s, "
                    + $"{Format(service.ResidentBytes / 1048576.0)} MiB after {IdleTime.TotalSeconds:f0} s of rest, "
                    + $"after the first quarter {Format(samples[(Samples / 4)..].Average(s => s.Mebibytes))} MiB on average and {FindSlope(samples[(Samples / 4)..]):f1} MiB more per 10,000 files:"
            )
        );
    }

    private static string Format(double value) => value.ToString("f0", CultureInfo.InvariantCulture);

    /// <summary>Fits a line by least squares.</summary>
    private static double FindSlope(List<(double Files, double Mebibytes)> samples)
    {
        var (x, y) = (samples.Average(s => s.Files), samples.Average(s => s.Mebibytes));
        return 10_000
            * samples.Sum(s => (s.Files - x) * (s.Mebibytes - y))
            / samples.Sum(s => (s.Files - x) * (s.Files - x));
    }
}
