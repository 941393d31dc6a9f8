using System.CommandLine;
using System.Globalization;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Engine.Files;
using PaDiM.Engine.Fitting;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary><c>padim fit DIR --out FILE</c>: a folder of images of good parts to a model file.</summary>
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
                NativeHeap.GiveBackWhatIsFree();
                using var registry = backbones.Open(arguments);
                var opened = registry.Open(model.BackboneName(arguments));
                var settings = model.Settings(arguments, opened);
                var ignored = model.Ignored(arguments);
                TrainingImage[] images =
                [
                    .. ImageFolder
                        .Expand([arguments.GetValue(folder)!])
                        .Select(file => FolderFit.ToTrainingImage(file.Path)),
                ];
                if (opened.Validate(settings) is { } misfit)
                    throw new InvalidDataException(misfit);
                var estimate = opened.EstimateFit(settings, images.DistinctBy(image => image.Sha256).Count());
                AnsiConsole.MarkupLineInterpolated(
                    CultureInfo.InvariantCulture,
                    $"needs about {FitEstimate.FormatBytes(estimate.MemoryBytes)} of memory; the model takes {FitEstimate.FormatBytes(estimate.ModelBytes)}"
                );
                var temporary = new DriveInfo(Path.GetTempPath()).AvailableFreeSpace;
                if (estimate.EmbeddingBytes > temporary)
                    throw new InvalidDataException(
                        $"The fit keeps {FitEstimate.FormatBytes(estimate.EmbeddingBytes)} of embeddings in {Path.GetTempPath()}, where {FitEstimate.FormatBytes(temporary)} are free. Make room, or set TMPDIR to a larger disk."
                    );
                var fitted = await ProgressBar.RunAsync(
                    "Fitting",
                    progress =>
                        FolderFit.Run(
                            opened,
                            settings,
                            ignored,
                            images,
                            step => progress(step.Progress, FolderFit.Words(step)),
                            stop
                        ),
                    stop
                );
                var path = arguments.GetValue(output)!;
                AtomicFile.Write(path, stream => ModelFile.Write(stream, fitted));
                Report(fitted, path, images);
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static void Report(PadimModel model, string path, TrainingImage[] files)
    {
        var calibration = model.Calibration;
        var invariant = CultureInfo.InvariantCulture;
        AnsiConsole.MarkupLineInterpolated(
            invariant,
            $"[bold]{path}[/]: {model.TrainingImages.Count} images ({files.Length - model.TrainingImages.Count} repeats left out), {model.Distribution.Grid.Height} x {model.Distribution.Grid.Width} positions, {model.Distribution.Dimensions} dimensions"
        );
        AnsiConsole.MarkupLineInterpolated(
            invariant,
            $"leave-one-out scores: min {calibration.Min:f2}, median {calibration.Median:f2}, max {calibration.Max:f2}; smallest false-reject rate {calibration.SmallestFalseRejectRate:p2}"
        );
        var names = files.DistinctBy(file => file.Sha256).ToDictionary(file => file.Sha256, file => file.Name!);
        foreach (var outlier in calibration.FindOutliers())
            AnsiConsole.MarkupLineInterpolated(
                invariant,
                $"[yellow]outlier[/]: {NameOf(outlier.Index)} has the leave-one-out score {outlier.Score:f2} (p-value {outlier.PValue:f4}); look at it, a defective part among the good ones spoils the fit"
            );
        foreach (var finding in model.Findings)
            AnsiConsole.MarkupLineInterpolated(
                invariant,
                $"[yellow]{Sentence(finding)}[/]: {NameOf(finding.Index)}{(finding.Of is { } other ? $" repeats {NameOf(other)}" : "")}"
            );

        string NameOf(int index) => names[model.TrainingImages[index]];
    }

    private static string Sentence(TrainingFinding finding) =>
        finding.Kind switch
        {
            TrainingFindingKind.NearDuplicate => "near-duplicate",
            var kind => kind.ToString().ToLowerInvariant(),
        };
}
