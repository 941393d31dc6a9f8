using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using PaDiM.Core.Calibration;
using PaDiM.Engine;
using PaDiM.Engine.Files;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary>
/// <c>padim score FILE IMAGE... [--heatmap DIR] [--json]</c>: prints one score and decision per image.
/// </summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The model file." };
        var images = new Argument<string[]>("image")
        {
            Description = "Images or folders of images.",
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
            Description = "Folder for the heatmaps, one PNG per image.",
            HelpName = "folder",
        };
        var style = new Option<HeatmapStyle>("--heatmap-style")
        {
            Description =
                "What --heatmap draws: overlay, map (colours alone) or mask (white at or above the threshold).",
            HelpName = "style",
        };
        style.Offer<HeatmapStyle>();
        var contours = new Option<bool>("--contours") { Description = "Add the contours of regions to --json." };
        var bits = SignificantBitsOption.Create();
        var json = new Option<bool>("--json") { Description = "Print one JSON object per line." };
        var rate = new Option<double>("--false-reject-rate")
        {
            Description = "Share of good parts that may be rejected.",
            DefaultValueFactory = _ => ThresholdCalibration.DefaultFalseRejectRate,
        };
        rate.Require(value => value is > 0 and < 1, "--false-reject-rate must be between 0 and 1.");
        var backbones = new BackboneOptions();
        var command = new Command("score", "Score images with a model file.")
        {
            file,
            images,
            heatmaps,
            style,
            json,
            contours,
            rate,
            bits,
        };
        backbones.AddTo(command);
        command.SetAction(
            async (arguments, stop) =>
            {
                using var registry = backbones.Open(arguments);
                var model = ModelLoader.Read(arguments.GetValue(file)!);
                using var scorer = ModelScorer.Open(model, registry.Open(model.Backbone.Name));
                var decoding = scorer.Embedder.Decoding;
                if (arguments.GetValue(bits) is { } declared)
                    decoding = decoding with { SignificantBits = declared };
                ModelLoader.RequireSelfTest(scorer, ComputeContext.OnThreadPool(scorer.Runtime.Threads));
                var threshold = model.Calibration.GetThreshold(arguments.GetValue(rate));
                var files = ImageFolder.Expand(arguments.GetValue(images)!);
                var names = ImageFolder.GetPngNames(files);
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
                                scorer,
                                decoder,
                                decoding,
                                files[i].Path,
                                threshold,
                                arguments.GetValue(heatmaps) is { } folder ? Path.Combine(folder, names[i]) : null,
                                arguments.GetValue(style),
                                arguments.GetValue(contours)
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

    private static ScoreLine Score(
        ModelScorer scorer,
        ImageDecoder decoder,
        DecodeOptions decoding,
        string path,
        double threshold,
        string? heatmap,
        HeatmapStyle style,
        bool contours
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
        if (!decoder.Decode(bytes, decoding).TryGetDecoded(out var decoded, out var refused))
            return new ScoreLine(path, Error: refused.Detail);
        if (scorer.ValidateSize(decoded.Size) is { } uncounted)
            return new ScoreLine(path, Error: uncounted);
        var compute = ComputeContext.OnThreadPool(scorer.Runtime.Threads, bindsCaller: true);
        var map = scorer.Score(decoded, compute, out var placement, out var warnings);
        var mapper = scorer.Preprocessing.CreateMapper(decoded.Size, placement);
        var score = scorer.GetScore(map, mapper.Frame);
        if (!float.IsFinite(score))
            return new ScoreLine(path, Error: "The backbone produced values that are not finite for this image.");
        var level = ModelScorer.GetDefectLevel(score, threshold);
        if (heatmap is not null)
        {
            // A picture has all pixels of the file, of which the score may need fewer.
            var whole = decoded;
            if (
                style != HeatmapStyle.Mask
                && !decoded.IsFullSize
                && !decoder.Decode(bytes).TryGetDecoded(out whole, out refused)
            )
                return new ScoreLine(path, Error: refused.Detail);
            var drawn =
                style == HeatmapStyle.Mask
                    ? ImageEncoder.EncodeMask(
                        mapper.ToOriginalMask(map, level),
                        decoded.Size.Width,
                        decoded.Size.Height
                    )
                    : HeatmapRenderer.Render(
                        whole.Image,
                        mapper.ToOriginal(map),
                        threshold,
                        isAnomalous: score >= threshold,
                        style
                    );
            AtomicFile.Write(heatmap, stream => stream.Write(drawn));
        }
        var defects = scorer.FindDefects(map, level, mapper, contours);
        return new ScoreLine(
            path,
            score,
            threshold,
            threshold > 0 ? score / threshold : null,
            scorer.Model.Calibration.GetPValue(score),
            score >= threshold ? "anomalous" : "normal",
            defects.Regions,
            defects.AreaPercent,
            heatmap,
            warnings
        );
    }

    private static void Print(List<ScoreLine> lines, double threshold)
    {
        var table = new Table().AddColumns("image", "score", "p-value", "decision", "warnings");
        foreach (var line in lines)
            table.AddRow(
                Markup.Escape(line.Image),
                line.Score?.ToString("f2", CultureInfo.InvariantCulture) ?? "",
                line.PValue?.ToString("f4", CultureInfo.InvariantCulture) ?? "",
                line.Error is not null ? $"[yellow]{Markup.Escape(line.Error)}[/]"
                    : line.Decision == "anomalous" ? "[red]anomalous[/]"
                    : "[green]normal[/]",
                $"[yellow]{string.Join(", ", (line.Warnings ?? []).Select(warning => warning.Code).Distinct())}[/]"
            );
        AnsiConsole.Write(table);
        var anomalous = lines.Count(line => line.Decision == "anomalous");
        var normal = lines.Count(line => line.Decision == "normal");
        var unreadable = lines.Count(line => line.Error is not null);
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"threshold {threshold:f2}: {anomalous} anomalous, {normal} normal, {unreadable} unreadable"
        );
    }
}
