using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Growth;
using PaDiM.Bench.Kernels;
using PaDiM.Bench.Load;
using PaDiM.Bench.Measuring;
using PaDiM.Bench.Speed;

namespace PaDiM.Bench;

/// <summary>
/// Prints every table and draws every chart of the performance pages in <c>docs</c> that need only a folder of images,
/// within ten minutes.
/// </summary>
internal static class AllCommand
{
    public static Command Create() =>
        Workbench.CreateCommand(
            "all",
            "Run speed, load, growth, load-time and kernels one after the other: all tables and charts.",
            async (workbench, _) =>
            {
                var clock = Stopwatch.StartNew();
                Console.WriteLine(
                    $"{GetProcessorName()}, {Environment.ProcessorCount} cores, {workbench.Files.Count} images"
                );
                await RunPartAsync(
                    "speed",
                    () => RunToCompletion(() => SpeedCommand.Run(workbench, TimeSpan.FromSeconds(18)))
                );
                await RunPartAsync(
                    "load",
                    () => LoadCommand.RunAsync(workbench, TimeSpan.FromSeconds(12), Reductions.Both)
                );
                await RunPartAsync(
                    "growth",
                    () => RunToCompletion(() => GrowthCommand.Run(workbench, TimeSpan.FromSeconds(15)))
                );
                await RunPartAsync("load-time", () => RunToCompletion(() => LoadTimeCommand.Run(workbench)));
                await RunPartAsync("kernels", () => RunToCompletion(() => KernelCommand.Run("*", full: false)));
                Console.WriteLine();
                Console.WriteLine(FormattableString.Invariant($"Total time: {clock.Elapsed.TotalMinutes:f1} minutes."));
            }
        );

    private static async Task RunPartAsync(string name, Func<Task> run)
    {
        Console.WriteLine();
        Console.WriteLine($"## {name}");
        await run();
    }

    private static Task RunToCompletion(Action run)
    {
        run();
        return Task.CompletedTask;
    }

    private static string GetProcessorName() =>
        File.Exists("/proc/cpuinfo")
        && File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            : "unknown processor";
}
