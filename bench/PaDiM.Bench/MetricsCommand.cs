using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Bench;

/// <summary>
/// Measures the time and peak memory of the pixel metrics of many large images, with each kind of defect separately, as
/// in an evaluation: maps are upsampled again in each pass, masks are decoded from PNG once. Every second image has a
/// defect of three discs that scores a little higher than the rest.
/// </summary>
internal static class MetricsCommand
{
    /// <summary>The rows and columns of patches. The prepared size is four times that.</summary>
    private const int Patches = 64;

    public static Command Create()
    {
        var images = new Option<int[]>("--images")
        {
            Description = "Numbers of images.",
            DefaultValueFactory = _ => [100],
            AllowMultipleArgumentsPerToken = true,
        };
        var side = new Option<int>("--side")
        {
            Description = "Rows and columns of each image.",
            DefaultValueFactory = _ => 1024,
        };
        var kinds = new Option<int>("--kinds") { Description = "Kinds of defects.", DefaultValueFactory = _ => 4 };
        var command = new Command("metrics", "Measure the seconds and peak memory of the pixel metrics.")
        {
            images,
            side,
            kinds,
        };
        command.SetAction(arguments =>
        {
            ReportTable.PrintHeader(
                "images",
                "side, pixels",
                "defect types",
                "cores",
                "seconds",
                "CPU seconds",
                "peak resident memory, MiB",
                "pixel AUROC",
                "AU-PRO@0.3",
                "AU-PRO@0.05"
            );
            foreach (var count in arguments.GetValue(images)!)
                Measure(count, arguments.GetValue(side), arguments.GetValue(kinds));
        });
        return command;
    }

    private static void Measure(int count, int side, int kinds)
    {
        var random = new Random(1024);
        LabelledMap[] maps =
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => CreateMap(random, i % 2 == 0 ? null : $"defect {i / 2 % kinds}", side)),
        ];
        using var process = Process.GetCurrentProcess();
        var clock = Stopwatch.StartNew();
        var before = process.TotalProcessorTime;
        var metrics = PixelMetrics.ComputeByDefect(maps).All;
        var seconds = clock.Elapsed.TotalSeconds;
        process.Refresh();
        var cpuSeconds = (process.TotalProcessorTime - before).TotalSeconds;
        ReportTable.PrintRow(
            $"{count}",
            $"{side}",
            $"{kinds}",
            $"{Environment.ProcessorCount}",
            FormattableString.Invariant($"{seconds:f1}"),
            FormattableString.Invariant($"{cpuSeconds:f1}"),
            $"{process.PeakWorkingSet64 >> 20}",
            FormattableString.Invariant($"{metrics.Auroc:f12}"),
            FormattableString.Invariant($"{metrics.AuPro30:f12}"),
            FormattableString.Invariant($"{metrics.AuPro05:f12}")
        );
    }

    private static LabelledMap CreateMap(Random random, string? defect, int side)
    {
        var discs = Enumerable
            .Range(0, defect is null ? 0 : 3)
            .Select(_ => (X: random.NextDouble(), Y: random.NextDouble(), Radius: 0.03 + 0.05 * random.NextDouble()))
            .ToArray();
        float[] distances =
        [
            .. Enumerable
                .Range(0, Patches * Patches)
                .Select(p => 8 + 3 * random.NextSingle() + (Inside(p, Patches) ? 6 * random.NextSingle() : 0)),
        ];
        var prepared = new Grid(4 * Patches, 4 * Patches);
        var map = new AnomalyMap(new Grid(Patches, Patches), distances).ToPixels(prepared, sigma: 4);
        var mapper = new OriginalMapper(
            new FitSettings { ImageSize = prepared.Width }.CreateFrame(new Grid(side, side))
        );
        var mask = defect is null ? null : Encode();
        var labels = new Lazy<PixelLabels>(() =>
            new PixelLabels(new Grid(side, side), mask is null ? null : Decode(mask))
        );
        return new LabelledMap(defect, () => new ScoredPixels(labels.Value, mapper.ToOriginal(map)));

        bool Inside(int position, int width) =>
            discs.Any(disc =>
                Math.Pow((position % width + 0.5) / width - disc.X, 2)
                    + Math.Pow((position / width + 0.5) / width - disc.Y, 2)
                < disc.Radius * disc.Radius
            );

        byte[] Encode()
        {
            var pixels = new byte[3 * side * side];
            for (var p = 0; p < side * side; p++)
                if (Inside(p, side))
                    pixels.AsSpan(3 * p, 3).Fill(255);
            return ImageEncoder.EncodePng(new RgbImage(side, side, pixels));
        }
    }

    private static bool[] Decode(byte[] mask)
    {
        var pixels = ((DecodeResult.Decoded)new ImageDecoder().Decode(mask)).Image.Pixels;
        var result = new bool[pixels.Length / 3];
        for (var p = 0; p < result.Length; p++)
            result[p] = pixels[3 * p] > 127;
        return result;
    }
}
