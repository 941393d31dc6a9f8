using System.CommandLine;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Models;
using PaDiM.Engine;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Bench;

/// <summary>
/// Measures whether the false-reject rate holds: a pool of images of good parts is split at random many times; one part
/// is fitted and calibrated, the other is scored. Prints the rejected share beside the requested rate.
/// </summary>
internal sealed class CalibrationCommand
{
    private static readonly double[] Rates = [0.01, 0.05, 0.1];

    private readonly Argument<string[]> _folders = new("dir")
    {
        Description = "Folders of images of good parts, combined into one pool.",
        Arity = ArgumentArity.OneOrMore,
    };
    private readonly Option<int> _splits = new("--splits")
    {
        Description = "Number of random splits.",
        DefaultValueFactory = _ => 20,
    };
    private readonly Option<double> _share = new("--share")
    {
        Description = "Share of the pool to fit.",
        DefaultValueFactory = _ => 0.5,
    };
    private readonly Option<string[]> _fitted = new("--fit")
    {
        Description = "Fit exactly the images of these folders and score those of the pool: one fixed split.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly Option<string> _name = new("--backbone")
    {
        Description = "Backbone.",
        DefaultValueFactory = _ => BackboneRegistry.DefaultName,
    };
    private readonly Option<string[]> _directories = new("--backbones")
    {
        Description = "Folders with more backbones.",
        DefaultValueFactory = _ => [],
    };

    private CalibrationCommand() { }

    public static Command Create()
    {
        var calibration = new CalibrationCommand();
        var command = new Command(
            "calibration",
            "Measure observed beside requested false-reject rates, over random splits of images of good parts."
        )
        {
            calibration._folders,
            calibration._splits,
            calibration._share,
            calibration._fitted,
            calibration._name,
            calibration._directories,
        };
        command.SetAction(calibration.Run);
        return command;
    }

    private void Run(ParseResult arguments)
    {
        using var registry = new BackboneRegistry(
            arguments.GetValue(_directories)!,
            BackboneRuntime.Create(DevicePreference.Cpu)
        );
        var scratch = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            var backbone = registry.Open(arguments.GetValue(_name)!);
            var store = new EmbeddingStore(scratch.FullName, TimeProvider.System);
            var pool = ReadImages(arguments.GetValue(_folders)!);
            var fit = arguments.GetValue(_fitted)!;
            var rejected =
                fit.Length > 0
                    ? [MeasureRejected(backbone, store, ReadImages(fit), pool)]
                    : Enumerable
                        .Range(0, arguments.GetValue(_splits))
                        .Select(split =>
                        {
                            var order = pool.ToArray();
                            new Random(split).Shuffle(order);
                            var count = (int)Math.Round(order.Length * arguments.GetValue(_share));
                            return MeasureRejected(backbone, store, order[..count], order[count..]);
                        })
                        .ToArray();
            Print(rejected, fit.Length > 0 ? 0 : (1 - arguments.GetValue(_share)) / arguments.GetValue(_share));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>Measures the share of the other images that the calibrated threshold rejects, for each rate.</summary>
    private static (int Fitted, int Scored, double[] Rejected) MeasureRejected(
        Backbone backbone,
        EmbeddingStore store,
        TrainingImage[] fit,
        TrainingImage[] others
    )
    {
        var decoder = new ImageDecoder();
        var compute = ComputeContext.OnThreadPool(backbone.Runtime.Threads);
        var model = new FitPipeline(backbone, new FitSettings(), decoder, store, compute).Run(
            fit,
            null,
            null,
            null,
            CancellationToken.None
        );
        var scorer = new ModelScorer(model, backbone);
        var scores = others
            .Select(image => (DecodeResult.Decoded)decoder.Decode(image.Read(), scorer.Embedder.Decoding))
            .Select(decoded => scorer.Score(decoded.Image, compute).Max())
            .ToArray();
        Console.Error.Write('.');
        return (
            fit.Length,
            scores.Length,
            [
                .. Rates.Select(rate =>
                    scores.Count(score => score >= model.Calibration.GetThreshold(rate)) / (double)scores.Length
                ),
            ]
        );
    }

    /// <summary>
    /// Prints means with 95 % intervals. Splits share their images, so their spread alone is too small: the variance is
    /// corrected by the ratio of scored to fitted images (Nadeau and Bengio, 2003). A single split has Wilson's
    /// interval.
    /// </summary>
    private static void Print((int Fitted, int Scored, double[] Rejected)[] splits, double ratio)
    {
        Console.Error.WriteLine();
        ReportTable.PrintHeader(
            "fitted",
            "scored",
            "splits",
            "requested rate",
            "rejected, mean",
            "95 % interval",
            "minimum and maximum over the splits"
        );
        for (var r = 0; r < Rates.Length; r++)
        {
            double[] observed = [.. splits.Select(split => split.Rejected[r])];
            var mean = observed.Average();
            var (low, high) =
                splits.Length == 1
                    ? GetWilsonInterval(mean, splits[0].Scored)
                    : GetCorrectedInterval(observed, mean, ratio);
            ReportTable.PrintRow(
                $"{splits[0].Fitted}",
                $"{splits[0].Scored}",
                $"{splits.Length}",
                FormattableString.Invariant($"{Rates[r]}"),
                FormattableString.Invariant($"{mean:f4}"),
                FormattableString.Invariant($"{Math.Max(0, low):f4} to {high:f4}"),
                FormattableString.Invariant($"{observed.Min():f4}, {observed.Max():f4}")
            );
        }
    }

    private static (double Low, double High) GetCorrectedInterval(double[] observed, double mean, double ratio)
    {
        var variance = observed.Sum(rate => (rate - mean) * (rate - mean)) / (observed.Length - 1);
        var half = 1.96 * Math.Sqrt((1.0 / observed.Length + ratio) * variance);
        return (mean - half, mean + half);
    }

    private static (double Low, double High) GetWilsonInterval(double rate, int n)
    {
        const double z = 1.96;
        var centre = (rate + z * z / (2 * n)) / (1 + z * z / n);
        var half = z / (1 + z * z / n) * Math.Sqrt(rate * (1 - rate) / n + z * z / (4.0 * n * n));
        return (centre - half, centre + half);
    }

    private static TrainingImage[] ReadImages(string[] folders) =>
        [
            .. folders
                .SelectMany(folder => Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
                .Where(path => Path.GetExtension(path).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg" or ".bmp")
                .Select(path => new TrainingImage(
                    path.Replace(Path.DirectorySeparatorChar, '-').TrimStart('-'),
                    () => File.ReadAllBytes(path)
                )),
        ];
}
