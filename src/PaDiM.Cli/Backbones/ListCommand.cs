using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Core.Models;
using PaDiM.Onnx.Catalogue;
using Spectre.Console;

namespace PaDiM.Cli.Backbones;

/// <summary><c>padim backbones list</c>: the backbones that can be used, and those that can be installed.</summary>
internal static class ListCommand
{
    private const int HashDigits = 12;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object a backbone and line, with all that is known of it." };
        var backbones = new BackboneOptions();
        var command = new Command("list", "List the backbones that can be used, and those that can be installed by their names.") { json };
        backbones.AddFoldersTo(command);
        command.SetAction(arguments =>
        {
            using var registry = backbones.Open(arguments);
            var listed = new BackboneListing(registry, BackboneCatalogue.Known).List();
            if (!arguments.GetValue(json)) Print(listed);
            else foreach (var backbone in listed) Console.Out.WriteLine(JsonSerializer.Serialize(backbone, ListJson.Default.ListedBackbone));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(IReadOnlyList<ListedBackbone> listed)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("name", "state", "taps (stride x channels)", "paper's d", "size", "SHA-256", "origin", "licence");
        foreach (var backbone in listed)
            table.AddRow(new[]
            {
                backbone.Name,
                backbone.Error is null ? Words(backbone.State) : $"unusable: {backbone.Error}",
                string.Join(' ', backbone.Taps.Select(tap => $"{tap.Stride}x{tap.Channels}")),
                $"{backbone.Dimensions}",
                backbone.SizeBytes is { } bytes ? FitEstimate.Size(bytes) : "",
                (backbone.Sha256 ?? backbone.WeightsSha256) is { } hash ? hash[..HashDigits] : "",
                backbone.Origin ?? "",
                backbone.Licence ?? "",
            }.Select(Markup.Escape).ToArray());
        AnsiConsole.Write(table);
    }

    private static string Words(BackboneState state) => state switch
    {
        BackboneState.BuiltIn => "built in",
        BackboneState.Installed => "installed",
        _ => "available",
    };
}

/// <summary>What the list writes as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ListedBackbone))]
internal sealed partial class ListJson : JsonSerializerContext;
