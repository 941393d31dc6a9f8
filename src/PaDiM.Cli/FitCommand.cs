using System.CommandLine;
using System.Globalization;
using PaDiM.Core.Models;
using PaDiM.Onnx.Storage;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary><c>padim fit DIR --out FILE</c>: a folder of images of good parts to a model file.</summary>
internal static class FitCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "Folder of images of good parts, subfolders included." };
        var output = new Option<string>("--out", "-o") { Description = "The model file to write (safetensors).", Required = true, HelpName = "file" };
        var (model, backbones) = (new ModelOptions(), new BackboneOptions());
        var command = new Command("fit", "Fit a model to a folder of images of good parts.") { folder, output };
        model.AddTo(command);
        backbones.AddTo(command);
        command.SetAction(async (arguments, stop) =>
        {
            var settings = model.Settings(arguments);
            using var registry = backbones.Open(arguments);
            var images = ImageFolder.Expand([arguments.GetValue(folder)!]);
            var opened = registry.Open(model.BackboneName(arguments));
            var fitted = await ProgressBar.RunAsync("Fitting", progress => FolderFit.Run(opened, settings, images, step => progress(step.Progress, $"{step.Stage}"), stop), stop);
            var path = arguments.GetValue(output)!;
            AtomicFile.Write(path, stream => ModelFile.Write(stream, fitted));
            Report(fitted, path, images.Count);
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
}
