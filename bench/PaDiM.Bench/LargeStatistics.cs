using System.Diagnostics;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;

namespace PaDiM.Bench;

/// <summary>
/// Seconds and peak memory of large statistics through all that a fit does with them, over synthetic embeddings.
/// </summary>
internal static class LargeStatistics
{
    public static void Measure(int dimensions)
    {
        var grid = new Grid(64, 64);
        var estimate = FitEstimate.Of(new FitSettings(), grid, dimensions, null);
        Console.WriteLine(
            $"{grid.Height} x {grid.Width} positions, {dimensions} dimensions, estimated: {FitEstimate.Size(estimate.MemoryBytes)}"
        );
        Console.WriteLine();
        Console.WriteLine("| what | seconds | processor seconds | peak resident memory, MiB |");
        Console.WriteLine("|---|---|---|---|");
        var batch = Enumerable
            .Range(0, FitEstimate.BatchOf(grid, dimensions))
            .Select(_ => new PatchEmbedding(grid, dimensions))
            .ToArray();
        var statistics = new PatchStatistics(grid, dimensions);
        for (var round = 0; round < 2; round++)
        {
            FillRandom(batch, round);
            MeasureStep($"{batch.Length} images added", () => statistics.Add(batch));
        }
        // Statistics of few images would be frozen in their subspace.
        while (statistics.Count <= dimensions)
            statistics.Merge(statistics);
        var regularisation = new Regularisation(new FitSettings().Epsilon);
        PatchDistribution? distribution = null;
        LeaveOneOut? leaveOneOut = null;
        MeasureStep("freezing", () => distribution = PatchDistribution.Freeze(statistics, regularisation));
        MeasureStep("leave-one-out: factors", () => leaveOneOut = LeaveOneOut.Consume(statistics, regularisation));
        MeasureStep($"leave-one-out: distances of {batch.Length} images", () => leaveOneOut!.Distances(batch));
        GC.KeepAlive(distribution);
    }

    private static void FillRandom(PatchEmbedding[] batch, int seed)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            var random = new Random(1000 * seed + i);
            foreach (ref var value in batch[i].Values.AsSpan())
                value = random.NextSingle();
        }
    }

    private static void MeasureStep(string what, Action work)
    {
        var processor = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        work();
        var seconds = clock.Elapsed.TotalSeconds;
        var used = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(
            FormattableString.Invariant($"| {what} | {seconds:f1} | {used:f1} | {process.PeakWorkingSet64 >> 20} |")
        );
    }
}
