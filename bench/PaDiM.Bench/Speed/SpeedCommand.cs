using System.CommandLine;
using PaDiM.Backbones.Quantisation;
using PaDiM.Bench.Charts;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Speed;

/// <summary>
/// Measures the time from a decoded image to its score, beside the backbone alone, the conventional whole graph and the
/// exported whole graph in ONNX Runtime, in float32 and int8, in turn within one run: only the ratios carry over to
/// other machines and other times.
/// </summary>
internal static class SpeedCommand
{
    private static readonly int[] Batches = [1, 4, 16];

    public static Command Create()
    {
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds for each table.",
            DefaultValueFactory = _ => 20,
        };
        var batches = new Option<int[]>("--images")
        {
            Description = "Images at a time, one table each.",
            DefaultValueFactory = _ => Batches,
            AllowMultipleArgumentsPerToken = true,
        };
        var reductions = Reductions.CreateOption();
        var command = Workbench.CreateCommand(
            "speed",
            "Measure the milliseconds from decoded images to scores, beside the backbone alone and whole graphs in "
                + "ONNX Runtime.",
            (workbench, arguments) =>
            {
                Run(
                    workbench,
                    TimeSpan.FromSeconds(arguments.GetValue(seconds)),
                    arguments.GetValue(batches)!,
                    arguments.GetValue(reductions)!
                );
                return Task.CompletedTask;
            }
        );
        command.Add(seconds);
        command.Add(batches);
        command.Add(reductions);
        return command;
    }

    public static void Run(Workbench workbench, TimeSpan each) => Run(workbench, each, Batches, Reductions.Both);

    private static void Run(Workbench workbench, TimeSpan each, int[] batches, ReductionMethod[] reductions)
    {
        var first = workbench.FindFirstBackbone("resnet18");
        var goals = new Goals();
        foreach (var name in new[] { first, BackboneRegistry.DefaultName }.Distinct())
        foreach (var reduction in reductions)
        foreach (var batch in batches)
            Measure(workbench, name, reduction, batch, each, name == first ? goals : null);
        goals.Print();
    }

    private static void Measure(
        Workbench workbench,
        string name,
        ReductionMethod reduction,
        int batch,
        TimeSpan each,
        Goals? goals
    )
    {
        var what = $"{name}, {reduction.ToText()}, {batch} at a time";
        using var exact = new SpeedSubject(workbench, name, reduction, batch);
        using var integer = new SpeedSubject(workbench, name + BackboneQuantiser.Suffix, reduction, batch);
        SpeedSubject[] subjects = [exact, integer];
        var rounds = Rounds.Run(
            [.. subjects.SelectMany(subject => subject.Candidates)],
            each,
            () => Array.ForEach(subjects, subject => subject.Clear())
        );

        var table = new ReportTable(
            "backbone",
            "what",
            "p50, ms",
            "p95, ms",
            "p99, ms",
            "p50 / backbone alone",
            "/ conventional whole graph, float32",
            "/ exported whole graph, float32"
        );
        foreach (var subject in subjects)
        {
            foreach (var candidate in subject.Candidates)
                Row(subject, candidate.Name, candidate.Times);
            for (var i = 0; i < subject.Stages.Count; i++)
                Row(subject, $"— {InProcessScorer.StageNames[i]}", subject.Stages[i]);
        }
        table.Print(
            $"{what}, 256 x 256, {new FitSettings().Dimensions} dimensions, "
                + $"{workbench.ThreadCount} threads, {rounds} rounds:"
        );
        workbench.Draw(
            $"speed-{name}-{reduction.ToFileNamePrefix()}{batch}",
            new BarChart(
                $"{what}: p50",
                "milliseconds",
                [],
                [
                    .. subjects.SelectMany(subject =>
                        subject.Candidates.Select(candidate => new Bar(
                            $"{(subject == exact ? "float32" : "int8")}: {GetShortName(candidate, subject)}",
                            candidate.Times.Median
                        ))
                    ),
                ]
            )
        );

        goals?.AtMost(
            $"{what}: decoded image to score / backbone alone",
            1.15,
            exact.Score.Times.Median / exact.Alone.Times.Median
        );
        goals?.AtMost(
            $"{what}: decoded image to score / conventional whole graph",
            0.6,
            exact.Score.Times.Median / exact.Conventional.Times.Median
        );
        goals?.AtMost(
            $"{what}: decoded image to score / exported whole graph",
            0.6,
            exact.Score.Times.Median / exact.Exported.Times.Median
        );
        goals?.AtMost(
            $"{what}: decoded image to score / without the local average",
            1.02,
            exact.Score.Times.Median / exact.Plain.Times.Median
        );
        goals?.AtMost(
            $"{what}: decoded image to score, mean of the highest pixels / without the local average",
            1.02,
            exact.Top.Times.Median / exact.Plain.Times.Median
        );
        goals?.AtMost(
            $"{what}: int8 image to score / conventional whole graph, float32",
            0.33,
            integer.Score.Times.Median / exact.Conventional.Times.Median
        );
        goals?.AtMost(
            $"{what}: int8 image to score / exported whole graph, float32",
            0.33,
            integer.Score.Times.Median / exact.Exported.Times.Median
        );

        void Row(SpeedSubject subject, string what, Times times) =>
            table.Add([
                subject.Name,
                what,
                .. times.ToCells(),
                ReportTable.Format(times.Median / subject.Alone.Times.Median),
                ReportTable.Format(times.Median / exact.Conventional.Times.Median),
                ReportTable.Format(times.Median / exact.Exported.Times.Median),
            ]);
    }

    private static string GetShortName(Candidate candidate, SpeedSubject subject) =>
        candidate == subject.Alone ? "backbone alone"
        : candidate == subject.Conventional ? "conventional whole graph"
        : candidate == subject.Exported ? "exported whole graph"
        : candidate == subject.Plain ? "without the local average"
        : candidate == subject.Top ? "mean of the highest pixels"
        : "image to score";
}
