using System.CommandLine;
using System.Globalization;
using PaDiM.Core.Calibration;
using PaDiM.Engine;
using PaDiM.Engine.Export;
using PaDiM.Engine.Files;
using PaDiM.Engine.Scoring;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary>
/// <c>padim export MODEL --format onnx --out FILE</c>: writes a model as one ONNX file for other runtimes.
/// </summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The model file." };
        var format = new Option<string>("--format")
        {
            Description = "Format of the file.",
            DefaultValueFactory = _ => "onnx",
        };
        format.AcceptOnlyFromAmong("onnx");
        var output = new Option<string>("--out", "-o")
        {
            Description = "The file to write.",
            Required = true,
            HelpName = "file",
        };
        var rate = new Option<double>("--false-reject-rate")
        {
            Description = "Share of good parts that the threshold in the file's metadata may reject.",
            DefaultValueFactory = _ => ThresholdCalibration.DefaultFalseRejectRate,
        };
        rate.Require(value => value is > 0 and < 1, "--false-reject-rate must be between 0 and 1.");
        var backbones = new BackboneOptions();
        var command = new Command("export", "Write a model as one ONNX file that scores without this program.")
        {
            file,
            format,
            output,
            rate,
        };
        backbones.AddTo(command);
        command.SetAction(
            (arguments, stop) =>
                Task.Run(
                    () =>
                    {
                        using var registry = backbones.Open(arguments);
                        var model = ModelLoader.Read(arguments.GetValue(file)!);
                        var scorer = new ModelScorer(model, registry.Open(model.Backbone.Name));
                        var compute = ComputeContext.OnThreadPool(scorer.Runtime.Threads, bindsCaller: true);
                        ModelLoader.RequireSelfTest(scorer, compute);
                        var threshold = model.Calibration.GetThreshold(arguments.GetValue(rate));
                        var export = OnnxExport.Create(model, scorer.Backbone, new ExportNotes(threshold));
                        var path = arguments.GetValue(output)!;
                        AtomicFile.Write(
                            path,
                            stream =>
                            {
                                foreach (var piece in export.GetPieces())
                                {
                                    stop.ThrowIfCancellationRequested();
                                    stream.Write(piece.Span);
                                }
                            }
                        );
                        AnsiConsole.MarkupLineInterpolated(
                            CultureInfo.InvariantCulture,
                            $"[bold]{path}[/]: {export.Length / (double)(1 << 20):f1} MiB, threshold {threshold:f2}"
                        );
                        return ExitCode.Done;
                    },
                    stop
                )
        );
        return command;
    }
}
