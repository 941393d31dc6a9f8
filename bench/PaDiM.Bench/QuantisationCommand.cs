using System.CommandLine;
using System.Diagnostics;
using PaDiM.Backbones.Quantisation;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Bench;

/// <summary>
/// Measures the effect of each quantisation setting: the signal-to-noise ratio at the taps on held-out images, and the
/// time of the backbone alone, float32 and int8 in turn within one run.
/// </summary>
internal static class QuantisationCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir")
        {
            Description = "Folder of images for calibration; every tenth image is held out.",
        };
        var backbone = new Option<string>("--backbone")
        {
            Description = "Backbone to quantise.",
            DefaultValueFactory = _ => BackboneRegistry.DefaultName,
        };
        var directories = new Option<string[]>("--backbones")
        {
            Description = "Folders with more backbones.",
            DefaultValueFactory = _ => [],
        };
        var count = new Option<int>("--images")
        {
            Description = "Number of images, spread over the folder.",
            DefaultValueFactory = _ => 200,
        };
        var rounds = new Option<int>("--rounds") { Description = "Runs per backbone.", DefaultValueFactory = _ => 200 };
        var command = new Command("quantisation", "Measure the feature error and speed of int8 variants of a backbone.")
        {
            folder,
            backbone,
            directories,
            count,
            rounds,
        };
        command.SetAction(
            (arguments, stop) =>
                Task.Run(
                    () =>
                        Run(
                            arguments.GetValue(folder)!,
                            arguments.GetValue(backbone)!,
                            arguments.GetValue(directories)!,
                            arguments.GetValue(count),
                            arguments.GetValue(rounds),
                            stop
                        ),
                    stop
                )
        );
        return command;
    }

    private static void Run(
        string folder,
        string name,
        string[] directories,
        int count,
        int rounds,
        CancellationToken stop
    )
    {
        using var registry = new BackboneRegistry(directories, BackboneRuntime.Create(DevicePreference.Cpu));
        var file =
            registry.Directories.Find(name) ?? throw new KeyNotFoundException($"There is no backbone named '{name}'.");
        var paths = Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".jpg" or ".png")
            .Order(StringComparer.Ordinal)
            .ToArray();
        var step = Math.Max(1, paths.Length / count);
        using var quantiser = new BackboneQuantiser(file, registry.Runtime);
        var decoder = new ImageDecoder();
        Func<RgbImage>[] images =
        [
            .. paths
                .Where((_, i) => i % step == 0)
                .Take(count)
                .Select(path =>
                    (Func<RgbImage>)(
                        () => ((DecodeResult.Decoded)decoder.Decode(File.ReadAllBytes(path), quantiser.Decoding)).Image
                    )
                ),
        ];
        var plain = registry.Open(name);
        Console.WriteLine($"{name}, {images.Length} images, {registry.Runtime.Threads} threads");
        Console.WriteLine();
        ReportTable.PrintHeader(
            "variant",
            "bytes",
            "SQNR at the taps, dB",
            "float32 p50, ms",
            "int8 p50, ms",
            "float32 / int8"
        );
        var chosen = new QuantisationSettings();
        foreach (var (variant, settings) in GetVariants(chosen))
        {
            var made = quantiser.Run(images, settings, _ => { }, stop);
            var (exact, integer) = MeasureTimes(plain, made, registry.Runtime, rounds);
            ReportTable.PrintRow(
                variant,
                $"{made.Onnx.Length}",
                string.Join(", ", made.Manifest.Quantisation!.Sqnr.Select(value => value.ToString("f1", null))),
                FormattableString.Invariant($"{exact:f2}"),
                FormattableString.Invariant($"{integer:f2}"),
                FormattableString.Invariant($"{exact / integer:f2}")
            );
        }
    }

    private static IEnumerable<(string, QuantisationSettings)> GetVariants(QuantisationSettings chosen) =>
        [
            ("default settings", chosen),
            ("ranges of all observed values", chosen with { Range = RangeMethod.MinMax }),
            ("ranges at percentile 99.99", chosen with { Range = RangeMethod.Percentile }),
            ("8-bit weights instead of 7-bit", chosen with { WeightBits = 8 }),
            ("first layer also int8", chosen with { FloatStem = false }),
            ("last layers also int8", chosen with { FloatTaps = false }),
            ("no bias correction", chosen with { CorrectBias = false }),
        ];

    private static (double Exact, double Integer) MeasureTimes(
        Backbone plain,
        QuantisedBackbone made,
        BackboneRuntime runtime,
        int rounds
    )
    {
        var folder = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            var path = Path.Combine(folder.FullName, $"{made.Name}.onnx");
            File.WriteAllBytes(path, made.Onnx);
            File.WriteAllBytes(Path.ChangeExtension(path, ".json"), made.Manifest.ToJson());
            using var variant = Backbone.Load(new BackboneFile(made.Name, path, IsBuiltIn: false), runtime);
            using var integer = new RawBackbone(variant);
            using var exact = new RawBackbone(plain);
            var size = new FitSettings().GetPreparedSize();
            var random = new Random(1);
            float[] input = [.. Enumerable.Range(0, 3 * size.Positions).Select(_ => 4 * random.NextSingle() - 2)];
            var times = Enumerable
                .Range(0, rounds + 20)
                .Select(_ => (Exact: Measure(exact, input, size), Integer: Measure(integer, input, size)))
                .Skip(20)
                .ToArray();
            return (GetMedian(times.Select(time => time.Exact)), GetMedian(times.Select(time => time.Integer)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Measure(RawBackbone backbone, float[] input, Grid size)
    {
        var clock = Stopwatch.StartNew();
        backbone.Run(input, 1, size);
        return clock.Elapsed.TotalMilliseconds;
    }

    private static double GetMedian(IEnumerable<double> times)
    {
        var sorted = times.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
