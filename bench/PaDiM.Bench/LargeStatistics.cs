using System.Diagnostics;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;

namespace PaDiM.Bench;

/// <summary>
/// Measures the seconds and peak memory of large statistics in every step of a fit, over synthetic embeddings.
/// </summary>
internal static class LargeStatistics
{
    public static void Measure(int dimensions)
    {
        var grid = new Grid(64, 64);
        var estimate = FitEstimate.Create(new FitSettings(), grid, dimensions, null);
        Console.WriteLine(
            $"{grid.Height} x {grid.Width} positions, {dimensions} dimensions, "
                + $"estimated memory {FitEstimate.FormatBytes(estimate.MemoryBytes)}"
        );
        Console.WriteLine();
        ReportTable.PrintHeader("what", "seconds", "CPU seconds", "peak resident memory, MiB");
        var batch = Enumerable
            .Range(0, FitEstimate.GetBatchSize(grid, dimensions))
            .Select(_ => new PatchEmbedding(grid, dimensions))
            .ToArray();
        var statistics = new PatchStatistics(grid, dimensions);
        for (var round = 0; round < 2; round++)
        {
            FillRandom(batch, round);
            var step = round == 0 ? $"add {batch.Length} images (first use of the memory)" : $"add {batch.Length} more";
            MeasureStep(step, () => statistics.Add(batch));
        }
        // With fewer images than dimensions, freezing would only work in their subspace.
        while (statistics.Count <= dimensions)
            statistics.Merge(statistics);
        var regularisation = new Regularisation(new FitSettings().Epsilon);
        PatchDistribution? distribution = null;
        LeaveOneOut? leaveOneOut = null;
        MeasureStep("freezing", () => distribution = PatchDistribution.Freeze(statistics, regularisation));
        MeasureStep("leave-one-out: factors", () => leaveOneOut = LeaveOneOut.Consume(statistics, regularisation));
        MeasureStep($"leave-one-out: distances of {batch.Length} images", () => leaveOneOut!.ComputeDistances(batch));
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
        var cpuTime = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        work();
        var seconds = clock.Elapsed.TotalSeconds;
        var used = (Environment.CpuUsage.TotalTime - cpuTime).TotalSeconds;
        using var process = Process.GetCurrentProcess();
        ReportTable.PrintRow(
            what,
            FormattableString.Invariant($"{seconds:f1}"),
            FormattableString.Invariant($"{used:f1}"),
            $"{process.PeakWorkingSet64 >> 20}"
        );
    }
}
