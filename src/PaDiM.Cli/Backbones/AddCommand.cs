using System.CommandLine;
using PaDiM.Backbones.Acquisition;
using PaDiM.Backbones.Architectures;

namespace PaDiM.Cli.Backbones;

/// <summary><c>padim backbones add FILE</c>: a network of one's own into the first backbone folder.</summary>
internal static class AddCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "An ONNX file, with its manifest beside it or without; or weights: .safetensors, .pth.",
        };
        var name = new Option<string?>("--name") { Description = "Name of the backbone; the file's own by default." };
        var architecture = new Option<string?>("--architecture")
        {
            Description =
                $"The network that weights are of: {string.Join(", ", BackboneArchitecture.Names)}; found from their tensors by default.",
        };
        architecture.AcceptOnlyFromAmong([.. BackboneArchitecture.Names]);
        var origin = new Option<string?>("--origin") { Description = "Where the weights come from, for the manifest." };
        var licence = new Option<string?>("--licence") { Description = "Licence of the weights, for the manifest." };
        var force = new Option<bool>("--force")
        {
            Description = "Replace a backbone of other bytes. Models that were fitted on it no longer score.",
        };
        var backbones = new BackboneOptions();
        var command = new Command("add", "Check a network of your own, convert it where it is weights, and install it.")
        {
            file,
            name,
            architecture,
            origin,
            licence,
            force,
        };
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
