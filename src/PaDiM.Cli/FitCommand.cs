using System.CommandLine;
using System.Globalization;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Engine.Files;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Machine;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary><c>padim fit DIR --out FILE</c>: fits a model to a folder of images of good parts.</summary>
internal static class FitCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir")
        {
            Description = "Folder of images of good parts, subfolders included.",
        };
        var output = new Option<string>("--out", "-o")
        {
            Description = "The model file to write (safetensors).",
            Required = true,
            HelpName = "file",
        };
        var model = new ModelOptions();
        var backbones = new BackboneOptions();
        var command = new Command("fit", "Fit a model to a folder of images of good parts.") { folder, output };
        model.AddTo(command);
        backbones.AddTo(command);
        command.SetAction(
            async (arguments, stop) =>
            {
                NativeHeap.ReturnFreedMemory();
                using var registry = backbones.Open(arguments);
                var opened = registry.Open(model.GetBackboneName(arguments));
                var settings = model.GetSettings(arguments, opened);
                var ignored = model.ReadIgnoreMask(arguments);
                TrainingImage[] images =
                [
                    .. ImageFolder
                        .Expand([arguments.GetValue(folder)!])
                        .Select(file => FolderFit.ToTrainingImage(file.Path)),
                ];
                if (opened.Validate(settings) is { } misfit)
                    throw new InvalidDataException(misfit);
                var estimate = opened.EstimateFit(settings, images.DistinctBy(image => image.Sha256).Count());
                AnsiConsole.WriteLine(
                    $"requires about {FitEstimate.FormatBytes(estimate.MemoryBytes)} of memory; "
                        + $"the model has {FitEstimate.FormatBytes(estimate.ModelBytes)}"
                );
                var freeBytes = new DriveInfo(Path.GetTempPath()).AvailableFreeSpace;
                if (estimate.EmbeddingBytes > freeBytes)
                    throw new InvalidDataException(
                        $"The fit requires {FitEstimate.FormatBytes(estimate.EmbeddingBytes)} for embeddings in "
                            + $"{Path.GetTempPath()}, which has {FitEstimate.FormatBytes(freeBytes)} free. "
                            + "Free some space, or set TMPDIR to a larger disk."
                    );
                var fitted = await ProgressBar.RunAsync(
                    "Fitting",
                    progress =>
                        FolderFit.Run(
                            opened,
                            settings,
                            ignored,
                            images,
                            step => progress(step.Progress, FolderFit.FormatStage(step)),
                            stop
                        ),
                    stop
                );
                var path = arguments.GetValue(output)!;
                AtomicFile.Write(path, stream => ModelFile.Write(stream, fitted));
                Print(fitted, path, images);
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static void Print(PadimModel model, string path, TrainingImage[] files)
    {
        var calibration = model.Calibration;
        var invariant = CultureInfo.InvariantCulture;
        var grid = model.Distribution.Grid;
        var summary = string.Create(
            invariant,
            $"{model.TrainingImages.Count} images ({files.Length - model.TrainingImages.Count} duplicates skipped), "
                + $"{grid.Height} x {grid.Width} positions, {model.Distribution.Dimensions} dimensions"
        );
        AnsiConsole.MarkupLineInterpolated(invariant, $"[bold]{path}[/]: {summary}");
        AnsiConsole.WriteLine(
            string.Create(
                invariant,
                $"leave-one-out scores: min {calibration.Min:f2}, median {calibration.Median:f2}, "
                    + $"max {calibration.Max:f2}; smallest false-reject rate {calibration.SmallestFalseRejectRate:p2}"
            )
        );
        var names = files.DistinctBy(file => file.Sha256).ToDictionary(file => file.Sha256, file => file.Name!);
        foreach (var outlier in calibration.FindOutliers())
        {
            var warning = string.Create(
                invariant,
                $"{GetName(outlier.Index)} has the leave-one-out score {outlier.Score:f2} "
                    + $"(p-value {outlier.PValue:f4}). Check it: a defective part among the good ones spoils the fit."
            );
            AnsiConsole.MarkupLineInterpolated(invariant, $"[yellow]outlier[/]: {warning}");
        }
        foreach (var finding in model.Findings)
        {
            var repeated = finding.Of is { } other ? $" repeats {GetName(other)}" : "";
            AnsiConsole.MarkupLineInterpolated(
                invariant,
                $"[yellow]{ToText(finding)}[/]: {GetName(finding.Index)}{repeated}"
            );
        }

        string GetName(int index) => names[model.TrainingImages[index]];
    }

    private static string ToText(TrainingFinding finding) =>
        finding.Kind switch
        {
            TrainingFindingKind.NearDuplicate => "near-duplicate",
            TrainingFindingKind.LowRange => "low range",
            var kind => kind.ToString().ToLowerInvariant(),
        };
}
