using System.CommandLine;
using PaDiM.Backbones.Acquisition;
using PaDiM.Backbones.Architectures;

namespace PaDiM.Cli.Backbones;

/// <summary><c>padim backbones add FILE</c>: installs your own network in the first backbone folder.</summary>
internal static class AddCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "ONNX file, with or without a manifest beside it, or weights (.safetensors, .pth).",
        };
        var name = new Option<string?>("--name") { Description = "Name of the backbone (default: the file name)." };
        var architecture = new Option<string?>("--architecture")
        {
            Description =
                $"Architecture of the weights: {string.Join(", ", BackboneArchitecture.Names)} "
                + "(default: detected from the tensors).",
        };
        architecture.AcceptOnlyFromAmong([.. BackboneArchitecture.Names]);
        var origin = new Option<string?>("--origin")
        {
            Description = "Origin of the weights, recorded in the manifest.",
        };
        var licence = new Option<string?>("--licence")
        {
            Description = "Licence of the weights, recorded in the manifest.",
        };
        var taps = new Option<string[]>("--tap")
        {
            Description = "Tensors of an ONNX file to tap, finest first (default: from its manifest, or found).",
            AllowMultipleArgumentsPerToken = true,
        };
        var normalisation = new NormalisationOptions();
        var force = new Option<bool>("--force")
        {
            Description = "Replace a backbone that has other bytes. Models fitted with it no longer score.",
        };
        var backbones = new BackboneOptions();
        var command = new Command("add", "Check your own network, convert it if it is weights, and install it.")
        {
            file,
            name,
            architecture,
            origin,
            licence,
            taps,
            force,
        };
        normalisation.AddTo(command);
        backbones.AddFoldersTo(command);
        command.Validators.Add(backbones.RequireFolder);
        command.SetAction(
            async (arguments, stop) =>
            {
                var path = arguments.GetValue(file)!;
                InstallationSummary.Print(
                    await backbones
                        .CreateInstaller(arguments)
                        .AddAsync(
                            new InstallRequest(arguments.GetValue(name) ?? Path.GetFileNameWithoutExtension(path), path)
                            {
                                Architecture = arguments.GetValue(architecture),
                                Origin = arguments.GetValue(origin),
                                Licence = arguments.GetValue(licence),
                                Taps = arguments.GetValue(taps) is { Length: > 0 } names ? names : null,
                                Normalisation = normalisation.Get(arguments),
                                Force = arguments.GetValue(force),
                            },
                            stop
                        )
                );
                return ExitCode.Done;
            }
        );
        return command;
    }
}
