using System.CommandLine;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace PaDiM.Bench.Kernels;

/// <summary>The kernels, each alone, by BenchmarkDotNet: time and allocated bytes.</summary>
internal static class KernelCommand
{
    public static Command Create()
    {
        var filter = new Option<string>("--filter")
        {
            Description = "Benchmarks to run, by a pattern over Class.Method.",
            DefaultValueFactory = _ => "*",
        };
        var full = new Option<bool>("--full")
        {
            Description = "As many iterations as BenchmarkDotNet finds right, in place of a few.",
        };
        var command = new Command("kernels", "Time and allocated bytes of each kernel alone.") { filter, full };
        command.SetAction(arguments => Run(arguments.GetValue(filter)!, arguments.GetValue(full)));
        return command;
    }

    public static void Run(string filter, bool full)
    {
        var scratch = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            // In this process: one that is generated beside the project would not build under central versions with
            // warnings as errors. Warm enough for code to be compiled once more in the background, or it would be
            // measured as it was compiled first.
            var job = (
                full
                    ? Job.Default
                    : Job
                        .ShortRun.WithIterationTime(TimeInterval.FromMilliseconds(80))
                        .WithWarmupCount(12)
                        .WithIterationCount(5)
            ).WithToolchain(InProcessEmitToolchain.Instance);
            var config = ManualConfig
                .CreateEmpty()
                .AddJob(job)
                .AddColumnProvider(DefaultColumnProviders.Instance)
                .HideColumns("Error", "StdDev", "Median", "Alloc Ratio", "Gen0", "Gen1", "Gen2", "RatioSD")
                .AddExporter(MarkdownExporter.GitHub)
                .AddLogger(NullLogger.Instance)
                .WithArtifactsPath(scratch.FullName)
                .WithOptions(ConfigOptions.DisableLogFile);
            var summaries = BenchmarkSwitcher
                .FromAssembly(typeof(KernelCommand).Assembly)
                .Run(["--filter", filter], config);
            foreach (var summary in summaries)
            {
                Console.WriteLine();
                Console.WriteLine(
                    $"{summary.BenchmarksCases[0].Descriptor.Type.Name}, {(full ? "full" : "short")} runs:"
                );
                Console.WriteLine();
                // Its own words about the machine, and its emphasis, stay out.
                var file = Directory
                    .EnumerateFiles(
                        Path.Combine(scratch.FullName, "results"),
                        $"*{summary.BenchmarksCases[0].Descriptor.Type.Name}-report-github.md"
                    )
                    .Single();
                foreach (var line in File.ReadLines(file).Where(line => line.StartsWith('|')))
                    Console.WriteLine(line.Replace("*", "", StringComparison.Ordinal));
            }
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }
}
