using System.CommandLine;
using System.Diagnostics;
using PaDiM.Core.Embedding;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Pipelines;
using PaDiM.Onnx.Storage;

namespace PaDiM.Bench;

/// <summary>Image AUROC, pixel AUROC and AU-PRO (masks at the prepared size) of each backbone and reduction on folders laid out as MVTec AD: a row each, as Markdown.</summary>
internal static class AccuracyCommand
{
    public static Command Create()
    {
        var roots = new Argument<string[]>("category") { Description = "Folders with train/good, test/<defect> and ground_truth/<defect>.", Arity = ArgumentArity.OneOrMore };
        var backbones = new Option<string[]>("--backbone") { Description = "Backbones to compare.", DefaultValueFactory = _ => [BackboneRegistry.DefaultName], AllowMultipleArgumentsPerToken = true };
        var directories = new Option<string[]>("--backbones") { Description = "Folders of more backbones.", DefaultValueFactory = _ => [] };
        var seeds = new Option<int[]>("--seed") { Description = "Seeds of the reduction.", DefaultValueFactory = _ => [1024], AllowMultipleArgumentsPerToken = true };
        var methods = new Option<ReductionMethod[]>("--reduction") { Description = "Reductions to compare.", DefaultValueFactory = _ => [ReductionMethod.SemiOrthogonal, ReductionMethod.Random], AllowMultipleArgumentsPerToken = true };
        var command = new Command("accuracy", "Image AUROC, pixel AUROC and AU-PRO by backbone, reduction and seed.") { roots, backbones, directories, methods, seeds };
        command.SetAction(arguments =>
        {
            using var registry = new BackboneRegistry(arguments.GetValue(directories)!, BackboneRuntime.Create(DevicePreference.Cpu));
            Console.WriteLine("| data | backbone | reduction | seed | image AUROC | pixel AUROC | AU-PRO@0.3 | normal test images rejected at 0.01 | fit, s |");
            Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
            foreach (var root in arguments.GetValue(roots)!)
                foreach (var backbone in arguments.GetValue(backbones)!)
                    foreach (var method in arguments.GetValue(methods)!)
                        foreach (var seed in arguments.GetValue(seeds)!)
                            Measure(root, registry.Open(backbone), new FitSettings { Reduction = method, Seed = seed });
        });
        return command;
    }

    private static void Measure(string root, Backbone backbone, FitSettings settings)
    {
        var scratch = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            var clock = Stopwatch.StartNew();
            var decoder = new ImageDecoder();
            var training = Directory.EnumerateFiles(Path.Combine(root, "train", "good")).Select(path => new TrainingImage(Path.GetFileName(path), () => File.ReadAllBytes(path))).ToArray();
            var model = new FitPipeline(backbone, settings, decoder, new EmbeddingStore(scratch.FullName, TimeProvider.System)).Run(training, null, null, null, CancellationToken.None);
            var fitSeconds = clock.Elapsed.TotalSeconds;
            var (image, pixel, rejected) = Score(root, new Inspector(model, backbone), decoder, model.Calibration.ThresholdAt(0.01));
            Console.WriteLine(FormattableString.Invariant(
                $"| {Path.GetFileName(root)} | {backbone.Identity.Name} | {settings.Reduction} | {settings.Seed} | {image.Auroc:f4} | {pixel.Auroc:f4} | {pixel.AuPro30:f4} | {rejected} | {fitSeconds:f1} |"));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static (ImageMetrics Image, PixelMetrics Pixel, string Rejected) Score(string root, Inspector inspector, ImageDecoder decoder, double threshold)
    {
        var (scores, labels, maps) = (new List<float>(), new List<bool>(), new List<ScoredPixels>());
        foreach (var path in Directory.EnumerateFiles(Path.Combine(root, "test"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var defect = Path.GetFileName(Path.GetDirectoryName(path)!);
            var map = inspector.Score(Decode(decoder, path));
            scores.Add(map.Max());
            labels.Add(defect != "good");
            maps.Add(new ScoredPixels(map, defect == "good" ? null : Mask(decoder, Path.Combine(root, "ground_truth", defect, $"{Path.GetFileNameWithoutExtension(path)}_mask.png"), map.Grid)));
        }
        var good = scores.Where((_, i) => !labels[i]).ToArray();
        return (ImageMetrics.Of(scores, labels), PixelMetrics.Of(maps), $"{good.Count(score => score >= threshold)} of {good.Length}");
    }

    /// <summary>The mask at the prepared size, nearest pixel.</summary>
    private static bool[] Mask(ImageDecoder decoder, string path, Grid size)
    {
        var mask = Decode(decoder, path);
        return [.. Enumerable.Range(0, size.Positions).Select(p =>
        {
            var (y, x) = ((int)((p / size.Width + 0.5) * mask.Height / size.Height), (int)((p % size.Width + 0.5) * mask.Width / size.Width));
            return mask.Pixels[3 * (y * mask.Width + x)] > 127;
        })];
    }

    private static RgbImage Decode(ImageDecoder decoder, string path) =>
        decoder.Decode(File.ReadAllBytes(path)) is DecodeResult.Decoded decoded ? decoded.Image : throw new InvalidDataException($"{path} cannot be read.");
}
