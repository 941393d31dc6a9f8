using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using PaDiM.Core.Calibration;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Core.Scoring;
using PaDiM.Engine;
using PaDiM.Engine.Files;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary>
/// <c>padim score FILE IMAGE... [--heatmap DIR] [--json]</c>: scores and decisions, one line an image.
/// </summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The model file." };
        var images = new Argument<string[]>("image")
        {
            Description = "Images, or folders of them.",
            Arity = ArgumentArity.OneOrMore,
        };
        images.Validators.Add(result =>
        {
            foreach (
                var token in result.Tokens.Where(token => token.Value.StartsWith('-') && !Path.Exists(token.Value))
            )
                result.AddError($"There is no option {token.Value}.");
        });
        var heatmaps = new Option<string?>("--heatmap")
        {
            Description = "Folder to write an overlay of each image to (PNG).",
            HelpName = "folder",
        };
        var json = new Option<bool>("--json") { Description = "One JSON object a line." };
        var rate = new Option<double>("--false-reject-rate")
        {
            Description = "Share of good parts that may be rejected.",
            DefaultValueFactory = _ => ThresholdCalibration.DefaultFalseRejectRate,
        };
        rate.Require(value => value is > 0 and < 1, "--false-reject-rate must lie between 0 and 1.");
        var backbones = new BackboneOptions();
        var command = new Command("score", "Score images with a model file.") { file, images, heatmaps, json, rate };
        backbones.AddTo(command);
        command.SetAction(
            async (arguments, stop) =>
            {
                using var registry = backbones.Open(arguments);
                var model = Read(arguments.GetValue(file)!);
                using var inspector = ModelScorer.Open(model, registry.Open(model.Backbone.Name));
                if (
                    SelfTest.Validate(inspector, ComputeContext.OnThreadPool(inspector.Runtime.Threads)) is
                    { } deviation
                )
                    throw new InvalidDataException(deviation);
                var threshold = model.Calibration.GetThreshold(arguments.GetValue(rate));
                var files = ImageFolder.Expand(arguments.GetValue(images)!);
                var names = ImageFolder.PngNames(files);
                var lines = new List<ScoreLine>();
                var faults = await ProgressBar.RunAsync(
                    "Scoring",
                    progress =>
                    {
                        var refused = 0;
                        var decoder = new ImageDecoder();
                        for (var i = 0; i < files.Count; i++)
                        {
                            stop.ThrowIfCancellationRequested();
                            var line = Score(
                                inspector,
                                decoder,
                                files[i].Path,
                                threshold,
                                arguments.GetValue(heatmaps) is { } folder ? Path.Combine(folder, names[i]) : null
                            );
                            if (line.Error is not null)
                                refused++;
                            if (arguments.GetValue(json))
                                Console.Out.WriteLine(JsonSerializer.Serialize(line, CliJson.Default.ScoreLine));
                            else
                                lines.Add(line);
                            progress((i + 1.0) / files.Count, $"{i + 1} of {files.Count}");
                        }
                        return refused;
                    },
                    stop
                );
                if (!arguments.GetValue(json))
                    Print(lines, threshold);
                return faults == 0 ? ExitCode.Done : ExitCode.Failure;
            }
        );
        return command;
    }

    private static PadimModel Read(string path)
    {
        using var stream = File.OpenRead(path);
        return ModelFile.Read(stream);
    }

    private static ScoreLine Score(
        ModelScorer inspector,
        ImageDecoder decoder,
        string path,
        double threshold,
        string? heatmap
    )
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ScoreLine(path, Error: e.Message);
        }
        if (!decoder.Decode(bytes).TryGetImage(out var image, out var refused))
            return new ScoreLine(path, Error: refused.Detail);
        var map = inspector.Score(image, ComputeContext.OnThreadPool(inspector.Runtime.Threads, bindsCaller: true));
        var score = map.Max();
        if (!float.IsFinite(score))
            return new ScoreLine(path, Error: "The backbone answers this image with values that are not finite.");
        if (heatmap is not null)
        {
            var overlay = HeatmapRenderer.Render(
                image,
                inspector.Preprocessing.ToOriginal(map, image.Width, image.Height),
                threshold,
                HeatmapStyle.Overlay
            );
            AtomicFile.Write(heatmap, stream => stream.Write(overlay));
        }
        var regions = RegionFinder
            .Find(map, threshold)
            .Select(region => inspector.Preprocessing.ToOriginal(region, image.Width, image.Height))
            .ToArray();
        return new ScoreLine(
            path,
            score,
            threshold,
            inspector.Model.Calibration.GetPValue(score),
            score >= threshold ? "anomalous" : "normal",
            regions,
            heatmap
        );
    }

    private static void Print(List<ScoreLine> lines, double threshold)
    {
        var table = new Table().AddColumns("image", "score", "p-value", "decision");
        foreach (var line in lines)
            table.AddRow(
                Markup.Escape(line.Image),
                line.Score?.ToString("f2", CultureInfo.InvariantCulture) ?? "",
                line.PValue?.ToString("f4", CultureInfo.InvariantCulture) ?? "",
                line.Error is not null ? $"[yellow]{Markup.Escape(line.Error)}[/]"
                    : line.Decision == "anomalous" ? "[red]anomalous[/]"
                    : "[green]normal[/]"
            );
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"threshold {threshold:f2}: {lines.Count(l => l.Decision == "anomalous")} anomalous, {lines.Count(l => l.Decision == "normal")} normal, {lines.Count(l => l.Error is not null)} unreadable"
        );
    }
}
