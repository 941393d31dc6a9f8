using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;

namespace PaDiM.Cli.Backbones;

/// <summary>
/// <c>padim backbones list</c>: lists the backbones that are installed and those that can be installed.
/// </summary>
internal static class ListCommand
{
    private const int HashDigits = 12;

    public static Command Create()
    {
        var json = new Option<bool>("--json")
        {
            Description = "Print one JSON object per backbone and line, with all details.",
        };
        var backbones = new BackboneOptions();
        var command = new Command("list", "List the installed backbones and those that can be installed by name.")
        {
            json,
        };
        backbones.AddFoldersTo(command);
        command.SetAction(arguments =>
        {
            using var registry = backbones.Open(arguments);
            var listed = new BackboneListing(registry.Directories, BackboneCatalogue.Known).List();
            if (!arguments.GetValue(json))
                Print(listed);
            else
                foreach (var backbone in listed)
                    Console.Out.WriteLine(JsonSerializer.Serialize(backbone, ListJson.Default.ListedBackbone));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>
    /// Prints one row per backbone. Origin and licence may be long, so they have their own lines below it.
    /// </summary>
    private static void Print(IReadOnlyList<ListedBackbone> listed)
    {
        string[][] rows =
        [
            ["name", "state", "taps", "paper's d", "size", "SHA-256"],
            .. listed.Select(backbone =>
                new[]
                {
                    backbone.Name,
                    ToText(backbone.State),
                    string.Join(' ', backbone.Taps.Select(tap => $"{tap.Stride}x{tap.Channels}")),
                    $"{backbone.Dimensions}",
                    backbone.SizeBytes is { } bytes ? FitEstimate.FormatBytes(bytes) : "",
                    (backbone.Sha256 ?? backbone.WeightsSha256) is { } hash ? hash[..HashDigits] : "",
                }
            ),
        ];
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        for (var i = 0; i < rows.Length; i++)
        {
            WriteLine(string.Join("  ", rows[i].Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
            if (i == 0)
                continue;
            var backbone = listed[i - 1];
            foreach (
                var line in new[]
                {
                    backbone.Description,
                    backbone.Origin,
                    backbone.Licence,
                    backbone.Error is { } error ? $"unusable: {error}" : null,
                }
            )
                if (line is not null)
                    WriteLine($"    {line}");
        }
        Console.Out.WriteLine(
            "Taps are stride x channels. Size and SHA-256 belong to the ONNX file, or to the weights to download "
                + "if the backbone is not installed. --json prints all details."
        );
    }

    /// <summary>
    /// Writes a line without control characters: names and manifests are not trusted. JSON escapes them itself.
    /// </summary>
    private static void WriteLine(string line) => Console.Out.WriteLine(TerminalText.Sanitise(line));

    private static string ToText(BackboneState state) =>
        state switch
        {
            BackboneState.BuiltIn => "built in",
            BackboneState.Installed => "installed",
            _ => "available",
        };
}

/// <summary>Serialises the list.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ListedBackbone))]
internal sealed partial class ListJson : JsonSerializerContext;
