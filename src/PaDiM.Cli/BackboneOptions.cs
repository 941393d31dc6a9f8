using System.Collections;
using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using PaDiM.Backbones.Acquisition;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;

namespace PaDiM.Cli;

/// <summary>The options for finding a backbone and choosing the device.</summary>
internal sealed class BackboneOptions
{
    /// <summary>The service's setting, so both programs can share one environment.</summary>
    private const string FolderVariablePrefix = "Padim__BackboneDirectories__";

    private readonly Option<string[]> _directories = new("--backbones")
    {
        Description =
            "Folder with backbones (NAME.onnx), in addition to the built-in ones; may be repeated. "
            + $"The folders of {FolderVariablePrefix}0, 1, ... come after it.",
        HelpName = "folder",
    };

    private readonly Option<DevicePreference> _device = new("--device")
    {
        Description = "Where the network runs.",
        DefaultValueFactory = _ => DevicePreference.Auto,
    };

    private readonly Option<int> _threads = new("--threads")
    {
        Description = "Threads to use; 0 for one per core.",
        DefaultValueFactory = _ => 0,
    };

    public BackboneOptions()
    {
        // The parser accepts any number as an enumeration value.
        _device.Offer<DevicePreference>();
        _device.Require(Enum.IsDefined, "--device must be auto, cpu or cuda.");
        _threads.Require(count => count >= 0, "--threads must be 0 or more.");
    }

    public void AddTo(Command command)
    {
        AddFoldersTo(command);
        command.Options.Add(_device);
        command.Options.Add(_threads);
    }

    /// <summary>Adds only the folders, for a command that runs no network.</summary>
    public void AddFoldersTo(Command command) => command.Options.Add(_directories);

    public BackboneRegistry Open(ParseResult arguments) =>
        new(GetFolders(arguments.CommandResult), CreateRuntime(arguments));

    /// <summary>Creates an installer for the first folder.</summary>
    public BackboneInstaller CreateInstaller(ParseResult arguments) =>
        new(
            GetFolders(arguments.CommandResult),
            BackboneCatalogue.Known,
            CreateRuntime(arguments),
            TimeProvider.System
        );

    /// <summary>Reports an error if no folder to install into is given.</summary>
    public void RequireFolder(CommandResult arguments)
    {
        if (GetFolders(arguments).Length == 0)
            arguments.AddError($"Set the folder for backbones with --backbones or {FolderVariablePrefix}0.");
    }

    /// <summary>Lists the backbones that a shell can offer: those of the folders that every command searches.</summary>
    public static IEnumerable<CompletionItem> ListNames() =>
        new BackboneDirectories(GetFoldersFromEnvironment()).List().Select(file => new CompletionItem(file.Name));

    private BackboneRuntime CreateRuntime(ParseResult arguments) =>
        BackboneRuntime.Create(arguments.GetValue(_device), arguments.GetValue(_threads));

    private string[] GetFolders(SymbolResult arguments) =>
        [.. arguments.GetValue(_directories) ?? [], .. GetFoldersFromEnvironment()];

    private static IEnumerable<string> GetFoldersFromEnvironment() =>
        Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Select(variable => (Name: (string)variable.Key, Value: (string?)variable.Value))
            .Where(variable =>
                variable.Name.StartsWith(FolderVariablePrefix, StringComparison.OrdinalIgnoreCase)
                && !string.IsNullOrEmpty(variable.Value)
            )
            .OrderBy(variable =>
                int.TryParse(variable.Name[FolderVariablePrefix.Length..], out var place) ? place : int.MaxValue
            )
            .Select(variable => variable.Value!);
}
