using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Charts;
using PaDiM.Bench.Measuring;
using PaDiM.Bench.Speed;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Growth;

/// <summary>
/// Measures how costs grow: those of a score with the image size, the dimensions, and the number of categories used in
/// turn; those of a fit with the number of images.
/// </summary>
internal static class GrowthCommand
{
    private static readonly int[] Sizes = [128, 256, 384, 512],
        Dimensions = [50, 100, 200, 550],
        Categories = [1, 4, 16, 64],
        TrainingImages = [10, 50, 200];

    public static Command Create()
    {
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds for each table of scores.",
            DefaultValueFactory = _ => 15,
        };
        var command = Workbench.CreateCommand(
            "growth",
            "Measure how the costs of scores and fits grow.",
            (workbench, arguments) =>
            {
                Run(workbench, TimeSpan.FromSeconds(arguments.GetValue(seconds)));
                return Task.CompletedTask;
            }
        );
        command.Add(seconds);
        return command;
    }

    public static void Run(Workbench workbench, TimeSpan each)
    {
        Console.WriteLine();
        Console.WriteLine(
            "Sizes, dimensions and categories are measured with factors of random 16-bit integers: "
                + "the cost of scoring does not depend on their values."
        );
        MeasureSizes(workbench, each);
        MeasureDimensions(workbench, each);
        MeasureCategories(workbench, each);
        MeasureTrainingImages(workbench);
    }

    private static void MeasureSizes(Workbench workbench, TimeSpan each)
    {
        var backbone = workbench.Open(BackboneRegistry.DefaultName);
        using var points = Points.Create(
            workbench,
            backbone,
            Sizes.Select(size => (size, new FitSettings { ImageSize = size }))
        );
        points.Print(
            "image size",
            $"{BackboneRegistry.DefaultName}, {new FitSettings().Dimensions} dimensions, one image at a time, "
                + $"{workbench.ThreadCount} threads",
            each
        );
        workbench.Draw("growth-size", points.CreateChart("Milliseconds per score by image size", "image size, pixels"));
    }

    /// <summary>
    /// Measures dimensions with the backbone that has the most channels, because there cannot be more dimensions than
    /// channels.
    /// </summary>
    private static void MeasureDimensions(Workbench workbench, TimeSpan each)
    {
        var name = workbench.FindFirstBackbone("wide_resnet50_2", "resnet18");
        var backbone = workbench.Open(name);
        var channels = backbone.TapChannels.Sum();
        using var points = Points.Create(
            workbench,
            backbone,
            Dimensions.Where(d => d <= channels).Select(d => (d, new FitSettings { Dimensions = d }))
        );
        points.Print(
            "dimensions",
            $"{name} ({channels} channels), 256 x 256, one image at a time, {workbench.ThreadCount} threads",
            each
        );
        workbench.Draw("growth-dimensions", points.CreateChart("Milliseconds per score by dimensions", "dimensions"));
    }

    /// <summary>Measures models that take turns, so each finds the caches filled by the others.</summary>
    private static void MeasureCategories(Workbench workbench, TimeSpan each)
    {
        var backbone = workbench.Open(BackboneRegistry.DefaultName);
        var table = new ReportTable(
            "categories",
            "p50, ms",
            "p95, ms",
            "p99, ms",
            "distances, p50, ms",
            "models, MB",
            "resident memory, MiB"
        );
        var curve = new List<(double, double)>();
        var scorers = new List<InProcessScorer>();
        var bytes = 0L;
        foreach (var count in Categories)
        {
            while (scorers.Count < count)
            {
                var model = SyntheticModel.Create(backbone, new FitSettings());
                bytes += model.Bytes;
                scorers.Add(new InProcessScorer(model, backbone));
            }
            var turn = 0;
            var candidate = new Candidate(
                "",
                round => scorers[turn++ % count].Score([workbench.Images[round % workbench.Images.Count]])
            );
            Rounds.Run([candidate], each / Categories.Length, () => scorers.ForEach(scorer => scorer.Clear()));
            var distances = new Times();
            foreach (var scorer in scorers)
                distances.AddRange(scorer.Distances.Values);
            table.Add([
                $"{count}",
                .. candidate.Times.ToCells(),
                ReportTable.Format(distances.Median),
                $"{bytes / 1e6:f0}",
                $"{Environment.WorkingSet >> 20}",
            ]);
            curve.Add((count, candidate.Times.Median));
        }
        scorers.ForEach(scorer => scorer.Dispose());
        table.Print(
            $"{BackboneRegistry.DefaultName}, 256 x 256, {new FitSettings().Dimensions} dimensions, models take turns; "
                + "resident memory is that of the whole bench program:"
        );
        workbench.Draw(
            "growth-categories",
            new LineChart(
                "Milliseconds per score by categories used in turn",
                "categories",
                "milliseconds, p50",
                [new Series("image to score", curve)],
                doubling: true
            )
        );
    }

    private static void MeasureTrainingImages(Workbench workbench)
    {
        var backbone = workbench.Open(BackboneRegistry.DefaultName);
        var counts = TrainingImages.Where(count => count <= workbench.Files.Count).ToArray();
        var seconds = counts.Select(_ => double.PositiveInfinity).ToArray();
        var models = new PadimModel[counts.Length];
        for (var round = 0; round < 2; round++)
        for (var i = 0; i < counts.Length; i++)
        {
            var clock = Stopwatch.StartNew();
            models[i] = workbench.Fit(backbone, new FitSettings(), [.. workbench.Files.Take(counts[i])]);
            seconds[i] = Math.Min(seconds[i], clock.Elapsed.TotalSeconds);
        }
        var table = new ReportTable("training images", "fit, s", "seconds per image", "model, MB", "form");
        for (var i = 0; i < counts.Length; i++)
            table.Add(
                $"{counts[i]}",
                ReportTable.Format(seconds[i]),
                ReportTable.Format(seconds[i] / counts[i]),
                $"{models[i].Bytes / 1e6:f1}",
                models[i].Distribution.GetType().Name
            );
        table.Print(
            $"{BackboneRegistry.DefaultName}, 256 x 256, {new FitSettings().Dimensions} dimensions, full fits, "
                + "the faster of two:"
        );
        workbench.Draw(
            "growth-training",
            new LineChart(
                "Seconds per fit by training images",
                "training images",
                "seconds",
                [new Series("fit", [.. counts.Select((count, i) => ((double)count, seconds[i]))])]
            )
        );
    }
}
