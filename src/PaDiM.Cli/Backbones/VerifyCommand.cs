using System.CommandLine;
using System.Globalization;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using Spectre.Console;

namespace PaDiM.Cli.Backbones;

/// <summary>
/// <c>padim backbones verify [NAME...]</c>: compares backbone files with the hashes in their manifests.
/// </summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("name")
        {
            Description = "Backbones (default: all).",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var backbones = new BackboneOptions();
        var command = new Command("verify", "Check backbones against the hashes in their manifests.") { names };
        backbones.AddFoldersTo(command);
        command.SetAction(arguments =>
        {
            using var registry = backbones.Open(arguments);
            var found = registry.Directories.List();
            var wanted = arguments.GetValue(names) is { Length: > 0 } named
                ? named
                : [.. found.Select(file => file.Name)];
            var bad = wanted.Where(name => !Check(name, found.FirstOrDefault(file => file.Name == name))).ToArray();
            return bad.Length == 0
                ? ExitCode.Done
                : throw new InvalidDataException(
                    $"{bad.Length} of {wanted.Length} backbones cannot be used: {string.Join(", ", bad)}."
                );
        });
        return command;
    }

    private static bool Check(string name, BackboneFile? file)
    {
        var (isIntact, message) = file is null ? (false, BackboneCatalogue.Known.GetMissingMessage(name)) : Check(file);
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{name}: {message}");
        return isIntact;
    }

    private static (bool IsIntact, string Message) Check(BackboneFile file)
    {
        try
        {
            var manifest = file.ReadManifest();
            if (manifest.Sha256 is not { } recorded)
                return (true, "no SHA-256 is recorded. padim backbones add records one.");
            var hash = FileHash.Compute(file.Path);
            return manifest.Accepts(hash)
                ? (true, "intact")
                : (
                    false,
                    $"{file.Path} is damaged: its SHA-256 is {hash}, but {recorded} is recorded. "
                        + "Pull or add the same file again to repair it."
                );
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return (false, e.Message);
        }
    }
}
