using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Measuring;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench;

/// <summary>
/// Measures the time and peak memory of <c>padim fit</c> for growing numbers of images: one process per fit, measured
/// from outside.
/// </summary>
internal static class MemoryCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "Folder of images of good parts." };
        var counts = new Option<int[]>("--images")
        {
            Description = "Numbers of images.",
            DefaultValueFactory = _ => [50, 220],
            AllowMultipleArgumentsPerToken = true,
        };
        var backbone = new Option<string>("--backbone")
        {
            Description = "Backbone to fit with.",
            DefaultValueFactory = _ => BackboneRegistry.DefaultName,
        };
        var directory = new Option<string>("--backbones")
        {
            Description = "Folder with more backbones.",
            DefaultValueFactory = _ => BackboneDirectories.BuiltIn,
        };
        var dimensions = new Option<int>("--dimensions")
        {
            Description =
                "Dimensions. Without a folder: of statistics over 64 x 64 positions and synthetic embeddings.",
            DefaultValueFactory = _ => 100,
        };
        folder.Arity = ArgumentArity.ZeroOrOne;
        var command = new Command("memory", "Measure the seconds and peak memory of a fit.")
        {
            folder,
            counts,
            backbone,
            directory,
            dimensions,
        };
        command.SetAction(arguments =>
        {
            if (arguments.GetValue(folder) is not { } images)
            {
                LargeStatistics.Measure(arguments.GetValue(dimensions));
                return;
            }
            ReportTable.PrintHeader("images", "seconds", "peak resident memory, MiB");
            string[] options =
            [
                "--backbone",
                arguments.GetValue(backbone)!,
                "--backbones",
                arguments.GetValue(directory)!,
                "--dimensions",
                $"{arguments.GetValue(dimensions)}",
            ];
            foreach (var count in arguments.GetValue(counts)!)
                Measure(images, count, options);
        });
        return command;
    }

    private static void Measure(string folder, int count, string[] options)
    {
        var scratch = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            var images = scratch.CreateSubdirectory("images");
            var copies = ImageCopies.Create([.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)], count);
            for (var i = 0; i < count; i++)
                File.WriteAllBytes(
                    Path.Combine(images.FullName, FormattableString.Invariant($"{i:d6}.jpg")),
                    copies[i]
                );
            var clock = Stopwatch.StartNew();
            using var fit = Process.Start(
                new ProcessStartInfo(
                    "dotnet",
                    [
                        BuiltPrograms.Cli,
                        "fit",
                        images.FullName,
                        "--out",
                        Path.Combine(scratch.FullName, "model.safetensors"),
                        .. options,
                    ]
                )
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
            var peak = 0L;
            while (!fit.WaitForExit(50))
            {
                fit.Refresh();
                peak = Math.Max(peak, fit.PeakWorkingSet64);
            }
            if (fit.ExitCode != 0)
                throw new InvalidOperationException(fit.StandardError.ReadToEnd());
            ReportTable.PrintRow(
                $"{images.GetFiles().Length}",
                FormattableString.Invariant($"{clock.Elapsed.TotalSeconds:f1}"),
                $"{peak >> 20}"
            );
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }
}
