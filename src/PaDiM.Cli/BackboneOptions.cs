using System.CommandLine;
using PaDiM.Onnx.Backbones;

namespace PaDiM.Cli;

/// <summary>The options by which every command finds its network and its device.</summary>
internal sealed class BackboneOptions
{
    private readonly Option<string[]> directories = new("--backbones")
    {
        Description = "Folder to look for backbones (NAME.onnx) in, besides the built-in ones; may be repeated.",
        HelpName = "folder",
    };

    private readonly Option<DevicePreference> device = new("--device")
    {
        Description = "Where the network runs.",
        DefaultValueFactory = _ => DevicePreference.Auto,
    };

    private readonly Option<int> threads = new("--threads")
    {
        Description = "Threads to use; 0 for one a core.",
        DefaultValueFactory = _ => 0,
    };

    public BackboneOptions()
    {
        // Any number parses as a value of an enumeration.
        device.Require(Enum.IsDefined, "--device takes auto, cpu or cuda.");
        threads.Require(count => count >= 0, "--threads takes 0 or more.");
    }

    public void AddTo(Command command)
    {
        command.Options.Add(directories);
        command.Options.Add(device);
        command.Options.Add(threads);
    }

    public BackboneRegistry Open(ParseResult arguments) =>
        new(arguments.GetValue(directories) ?? [], BackboneRuntime.Create(arguments.GetValue(device), arguments.GetValue(threads)));
}
