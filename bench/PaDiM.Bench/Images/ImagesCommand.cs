using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Models;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Bench.Images;

/// <summary>
/// Measures how long files of the sizes that cameras send take to decode and shrink, in turn with Pillow, and the
/// memory that the largest one takes.
/// </summary>
internal static class ImagesCommand
{
    private const int Megabyte = 1_000_000;
    private const double MemoryGoal = 200;

    private static readonly (string Name, int Width, int Height, string Format, double Goal)[] Files =
    [
        ("12-megapixel JPEG", 4000, 3000, "jpeg", 0.45),
        ("5-megapixel JPEG", 2592, 1944, "jpeg", 0.45),
        ("1-megapixel JPEG", 1024, 1024, "jpeg", 0.7),
        ("5-megapixel PNG", 2592, 1944, "png", 1),
        ("5-megapixel BMP", 2592, 1944, "bmp", 1),
        ("5-megapixel TIFF", 2592, 1944, "tiff", 1),
    ];

    public static Command Create()
    {
        var python = new Option<string>("--python")
        {
            Description = "The Python that has Pillow.",
            DefaultValueFactory = _ => "python3",
        };
        var rounds = new Option<int>("--rounds")
        {
            Description = "Number of times that each file is decoded.",
            DefaultValueFactory = _ => 21,
        };
        var once = new Option<string?>("--once")
        {
            Description = "Decode and shrink only this file, once, and print the peak memory.",
        };
        var command = new Command("images", "Measure decoding and shrinking of files, beside Pillow.")
        {
            python,
            rounds,
            once,
        };
        command.SetAction(arguments =>
        {
            if (arguments.GetValue(once) is { } file)
                PrintPeak(file);
            else
                Measure(arguments.GetValue(python)!, arguments.GetValue(rounds));
        });
        return command;
    }

    private static void Measure(string python, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            using var pillow = Pillow.TryStart(python);
            if (pillow is null)
                Console.Error.WriteLine("This Python has no Pillow; on Debian it is the package python3-pil.");
            var paths = Files.Select(file => Write(folder.FullName, file)).ToArray();
            var ours = Files.Select(_ => new Times()).ToArray();
            var theirs = Files.Select(_ => new Times()).ToArray();
            var preparing = new Preparing();
            // The first round warms up.
            for (var round = 0; round <= rounds; round++)
            for (var i = 0; i < Files.Length; i++)
            {
                var bytes = File.ReadAllBytes(paths[i]);
                var start = Stopwatch.GetTimestamp();
                preparing.Run(bytes);
                var taken = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                var pillows = pillow?.Measure(paths[i]) ?? double.NaN;
                if (round == 0)
                    continue;
                ours[i].Add(taken);
                theirs[i].Add(pillows);
            }
            Print(paths, ours, theirs);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Print(string[] paths, Times[] ours, Times[] theirs)
    {
        var table = new ReportTable("file", "bytes", "decode and shrink, p50, ms", "Pillow, p50, ms", "ratio");
        var goals = new Goals();
        for (var i = 0; i < Files.Length; i++)
        {
            var ratio = ours[i].Median / theirs[i].Median;
            table.Add(
                Files[i].Name,
                new FileInfo(paths[i]).Length.ToString("N0", CultureInfo.InvariantCulture),
                ReportTable.Format(ours[i].Median),
                ReportTable.Format(theirs[i].Median),
                ReportTable.Format(ratio)
            );
            goals.AtMost($"{Files[i].Name}, relative to Pillow", Files[i].Goal, ratio);
        }
        goals.AtMost(
            "peak memory of a process that decodes a 12-megapixel JPEG",
            MemoryGoal,
            MeasurePeak(paths[0]),
            " MB"
        );
        table.Print("Decode and shrink to 256 x 256:");
        goals.Print();
    }

    private static string Write(string folder, (string Name, int Width, int Height, string Format, double Goal) file)
    {
        var path = Path.Combine(folder, $"{file.Width}.{file.Format}");
        File.WriteAllBytes(path, CameraImage.Encode(CameraImage.Create(file.Width, file.Height), file.Format));
        return path;
    }

    private static double MeasurePeak(string path)
    {
        // The host of `dotnet PaDiM.Bench.dll` needs the name of the program again; the program itself does not.
        string[] program =
            Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet"
                ? [typeof(ImagesCommand).Assembly.Location]
                : [];
        using var process = Process.Start(
            new ProcessStartInfo(Environment.ProcessPath!, [.. program, "images", "--once", path])
            {
                RedirectStandardOutput = true,
            }
        )!;
        var printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return double.Parse(printed, CultureInfo.InvariantCulture);
    }

    private static void PrintPeak(string path)
    {
        var preparing = new Preparing();
        preparing.Run(File.ReadAllBytes(path));
        using var process = Process.GetCurrentProcess();
        var megabytes = process.PeakWorkingSet64 / (double)Megabyte;
        Console.WriteLine(megabytes.ToString("f1", CultureInfo.InvariantCulture));
    }

    /// <summary>What a score does with a file before the backbone runs, with default settings.</summary>
    private sealed class Preparing
    {
        private readonly ImageDecoder _decoder = new();
        private readonly DecodeOptions _options;
        private readonly Preprocessor _preprocessor;
        private readonly float[] _prepared;

        public Preparing()
        {
            var settings = new FitSettings();
            _options = DecodeOptions.For(settings);
            _preprocessor = new Preprocessor(settings, Normalisation.ImageNet);
            _prepared = new float[3 * _preprocessor.PreparedSize.Positions];
        }

        public void Run(byte[] file)
        {
            var decoded = (DecodeResult.Decoded)_decoder.Decode(file, _options);
            _preprocessor.Prepare(decoded.Image, _prepared);
        }
    }
}
