using System.CommandLine;
using System.Globalization;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using Spectre.Console;

namespace PaDiM.Cli.Backbones;

/// <summary><c>padim backbones verify [NAME...]</c>: whether files still are what their manifests record.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("name")
        {
            Description = "Backbones; all by default.",
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
        var (intact, words) = file is null ? (false, BackboneCatalogue.Known.GetMissingMessage(name)) : Check(file);
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{name}: {words}");
        return intact;
    }

    private static (bool Intact, string Words) Check(BackboneFile file)
    {
        try
        {
            var manifest = file.ReadManifest();
            if (manifest.Sha256 is not { } recorded)
                return (true, "no SHA-256 is recorded; padim backbones add records one.");
            var hash = FileHash.Compute(file.Path);
            return manifest.Accepts(hash)
                ? (true, "intact")
                : (
                    false,
                    $"{file.Path} is damaged: its SHA-256 is {hash}, {recorded} is recorded. The same file again, by pull or add, mends it."
                );
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return (false, e.Message);
        }
    }
}
