using System.CommandLine;
using System.Globalization;
using PaDiM.Backbones.Acquisition;
using PaDiM.Backbones.Quantisation;
using PaDiM.Engine.Catalogue;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using Spectre.Console;

namespace PaDiM.Cli.Backbones;

/// <summary>
/// <c>padim backbones quantize NAME --images DIR</c>: creates the int8 variant of a float32 backbone.
/// </summary>
internal static class QuantizeCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "The float32 backbone." };
        name.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.EndsWith(BackboneQuantiser.Suffix, StringComparison.Ordinal)))
                result.AddError(
                    $"Names that end in {BackboneQuantiser.Suffix} are reserved for int8 variants. "
                        + "Give the name of the float32 backbone."
                );
        });
        var images = new Option<string>("--images")
        {
            Description =
                $"Folder of at least {BackboneQuantiser.MinImages} images for calibration, subfolders included; "
                + "every tenth image is held out to measure the result.",
            Required = true,
            HelpName = "folder",
        };
        var output = new Option<string>("--out")
        {
            Description = "Folder to write NAME-int8.onnx and NAME-int8.json to.",
            DefaultValueFactory = _ => ".",
            HelpName = "folder",
        };
        var force = new Option<bool>("--force")
        {
            Description = "Replace a NAME-int8 that has other bytes. Models fitted with it no longer score.",
        };
        var backbones = new BackboneOptions();
        var command = new Command("quantize", "Create NAME-int8, the int8 variant of a float32 backbone.")
        {
            name,
            images,
            output,
            force,
        };
        backbones.AddTo(command);
        command.SetAction(
            async (arguments, stop) =>
            {
                using var registry = backbones.Open(arguments);
                var wanted = arguments.GetValue(name)!;
                var file =
                    registry.Directories.Find(wanted)
                    ?? throw new KeyNotFoundException(BackboneCatalogue.Known.GetMissingMessage(wanted));
                using var quantiser = new BackboneQuantiser(file, registry.Runtime);
                Func<RgbImage>[] calibration =
                [
                    .. ImageFolder
                        .Expand([arguments.GetValue(images)!])
                        .Select(image => (Func<RgbImage>)(() => Decode(image.Path, quantiser.Decoding))),
                ];
                var made = await ProgressBar.RunAsync(
                    "Quantising",
                    progress =>
                        quantiser.Run(calibration, new QuantisationSettings(), done => progress(done, "images"), stop),
                    stop
                );
                var installer = new BackboneInstaller(
                    [arguments.GetValue(output)!],
                    BackboneCatalogue.Known,
                    registry.Runtime,
                    TimeProvider.System
                );
                Print(
                    made,
                    await installer.AddAsync(made.Name, made.Onnx, made.Manifest, arguments.GetValue(force), stop)
                );
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static void Print(QuantisedBackbone made, Installation done)
    {
        var quantisation = made.Manifest.Quantisation!;
        var summary =
            $"{made.Convolutions} integer convolutions, calibrated on {quantisation.CalibrationImages} images";
        AnsiConsole.MarkupLineInterpolated($"[bold]{done.File.Path}[/]: {summary}");
        foreach (var (tap, sqnr) in made.Manifest.Taps!.Zip(quantisation.Sqnr))
            AnsiConsole.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{tap.Tensor}: signal-to-quantisation-noise ratio {sqnr:f1} dB "
                        + $"on {quantisation.HeldOutImages} held-out images"
                )
            );
    }

    private static RgbImage Decode(string path, DecodeOptions options) =>
        new ImageDecoder().Decode(File.ReadAllBytes(path), options).TryGetImage(out var image, out var refused)
            ? image
            : throw new InvalidDataException($"{path} cannot be read: {refused.Detail}");
}
