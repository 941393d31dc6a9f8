using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Persistence;
using PaDiM.Engine;
using PaDiM.Engine.Files;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;

namespace PaDiM.Bench;

/// <summary>
/// Measures the time from a model file to the first score, as the service loads it: read, hash, verify, and then
/// self-test.
/// </summary>
internal static class LoadTimeCommand
{
    private const int Rounds = 50;

    public static Command Create() =>
        Workbench.CreateCommand(
            "load-time",
            "Measure the milliseconds to load a model file, and its size.",
            (workbench, _) =>
            {
                Run(workbench);
                return Task.CompletedTask;
            }
        );

    public static void Run(Workbench workbench)
    {
        var backbone = workbench.Open(BackboneRegistry.DefaultName);
        var model = workbench.Fit(BackboneRegistry.DefaultName);
        var path = Path.Combine(workbench.Scratch, "model.safetensors");
        using (var file = File.Create(path))
            ModelFile.Write(file, model);
        var bytes = new FileInfo(path).Length;
        var hashing = new Times();
        var reading = new Times();
        var testing = new Times();
        for (var round = -3; round < Rounds; round++)
        {
            var began = Stopwatch.GetTimestamp();
            using var held = HeldFile.Read(path);
            var hashed = Stopwatch.GetTimestamp();
            using var scorer = new ModelScorer(ModelFile.Read(held, verified: true), backbone);
            var read = Stopwatch.GetTimestamp();
            if (SelfTest.Validate(scorer, ComputeContext.OnThreadPool(scorer.Runtime.Threads)) is { } deviation)
                throw new InvalidOperationException(deviation);
            if (round < 0)
                continue;
            hashing.Add(Stopwatch.GetElapsedTime(began, hashed).TotalMilliseconds);
            reading.Add(Stopwatch.GetElapsedTime(hashed, read).TotalMilliseconds);
            testing.Add(Stopwatch.GetElapsedTime(read).TotalMilliseconds);
        }
        var whole = new Times();
        whole.AddRange(hashing.Values.Zip(reading.Values, (hash, read) => hash + read));
        var table = new ReportTable("what", "p50, ms", "p95, ms", "p99, ms");
        table.Add(["read and hash the file", .. hashing.ToCells()]);
        table.Add(["parse and check the values", .. reading.ToCells()]);
        table.Add(["load: both", .. whole.ToCells()]);
        table.Add([$"then the self-test, {model.GoldenImages.Count} images", .. testing.ToCells()]);
        var grid = model.Distribution.Grid;
        var d = model.Distribution.Dimensions;
        table.Print(
            $"A model of {grid.Height} x {grid.Width} positions and {d} dimensions, "
                + $"{model.Distribution.GetType().Name}, {bytes / 1e6:f1} MB, file in the page cache, {Rounds} rounds:"
        );
        var goals = new Goals();
        goals.AtMost("size of the file", 45, bytes / 1e6, " MB");
        goals.AtMost("loading, p50", 50, whole.Median, " ms");
        goals.Print();
    }
}
