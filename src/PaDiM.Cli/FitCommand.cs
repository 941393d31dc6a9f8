using System.CommandLine;
using System.Globalization;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Storage;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary><c>padim fit DIR --out FILE</c>: a folder of images of good parts to a model file.</summary>
internal static class FitCommand
{
    private static readonly FitSettings Defaults = new();

    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "Folder of images of good parts, subfolders included." };
        var output = new Option<string>("--out", "-o") { Description = "The model file to write (safetensors).", Required = true, HelpName = "file" };
        var backbone = new Option<string>("--backbone") { Description = "Name of the backbone.", DefaultValueFactory = _ => BackboneRegistry.DefaultName };
        var imageSize = Number("--image-size", "Side that images are resized to, in pixels.", Defaults.ImageSize, FitSettings.MinSize, FitSettings.MaxSize);
        var cropSize = new Option<int?>("--crop-size") { Description = "Side of the centre crop after resizing, in pixels; none by default." };
        var reduction = new Option<string>("--reduction") { Description = "How channels are reduced.", DefaultValueFactory = _ => "semi-orthogonal" };
        reduction.AcceptOnlyFromAmong("semi-orthogonal", "random", "none");
        var dimensions = Number("--dimensions", "Dimensions of the embedding.", Defaults.Dimensions, 1, 4096);
        var seed = new Option<int>("--seed") { Description = "Seed of the reduction.", DefaultValueFactory = _ => Defaults.Seed };
        var epsilon = new Option<double>("--epsilon") { Description = "Added to every variance.", DefaultValueFactory = _ => Defaults.Epsilon };
        epsilon.Require(value => value is > 0 and <= FitSettings.MaxEpsilon, $"--epsilon must lie above 0 and be at most {FitSettings.MaxEpsilon}.");
        var blurSigma = new Option<double>("--blur-sigma") { Description = "Standard deviation of the smoothing, in pixels.", DefaultValueFactory = _ => Defaults.BlurSigma };
        blurSigma.Require(value => value is >= 0 and <= FitSettings.MaxBlurSigma, $"--blur-sigma must lie between 0 and {FitSettings.MaxBlurSigma}.");
        var backbones = new BackboneOptions();
        var command = new Command("fit", "Fit a model to a folder of images of good parts.") { folder, output, backbone, imageSize, cropSize, reduction, dimensions, seed, epsilon, blurSigma };
        backbones.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.TryGet(cropSize, out var crop) && crop is not null && result.TryGet(imageSize, out var whole) && (crop < FitSettings.MinSize || crop > whole)) result.AddError($"--crop-size must lie between {FitSettings.MinSize} and the image size.");
        });
        command.SetAction(async (arguments, stop) =>
        {
            var settings = new FitSettings
            {
                ImageSize = arguments.GetValue(imageSize),
                CropSize = arguments.GetValue(cropSize),
                Reduction = arguments.GetValue(reduction) switch { "random" => ReductionMethod.Random, "none" => ReductionMethod.None, _ => ReductionMethod.SemiOrthogonal },
                Dimensions = arguments.GetValue(dimensions),
                Seed = arguments.GetValue(seed),
                Epsilon = arguments.GetValue(epsilon),
                BlurSigma = arguments.GetValue(blurSigma),
            };
            using var registry = backbones.Open(arguments);
            var images = ImageFolder.Expand([arguments.GetValue(folder)!]);
            var opened = registry.Open(arguments.GetValue(backbone)!);
            var model = await ProgressBar.RunAsync("Fitting", progress => FolderFit.Run(opened, settings, images, step => progress(step.Progress, $"{step.Stage}"), stop), stop);
            var path = arguments.GetValue(output)!;
            AtomicFile.Write(path, stream => ModelFile.Write(stream, model));
            Report(model, path, images.Count);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Report(PadimModel model, string path, int files)
    {
        var (calibration, invariant) = (model.Calibration, CultureInfo.InvariantCulture);
        AnsiConsole.MarkupLineInterpolated(invariant, $"[bold]{path}[/]: {model.TrainingImages.Count} images ({files - model.TrainingImages.Count} repeats left out), {model.Distribution.Grid.Height} x {model.Distribution.Grid.Width} positions, {model.Distribution.Dimensions} dimensions");
        AnsiConsole.MarkupLineInterpolated(invariant, $"leave-one-out scores: min {calibration.Min:f2}, median {calibration.Median:f2}, max {calibration.Max:f2}; smallest false-reject rate {calibration.SmallestFalseRejectRate:p2}");
    }

    private static Option<int> Number(string name, string description, int value, int min, int max)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Require(number => number >= min && number <= max, $"{name} must lie between {min} and {max}.");
        return option;
    }
}
