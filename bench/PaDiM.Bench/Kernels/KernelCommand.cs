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

/// <summary>Measures the time and allocated bytes of each kernel alone, with BenchmarkDotNet.</summary>
internal static class KernelCommand
{
    public static Command Create()
    {
        var filter = new Option<string>("--filter")
        {
            Description = "Pattern for the benchmarks to run, as Class.Method.",
            DefaultValueFactory = _ => "*",
        };
        var full = new Option<bool>("--full")
        {
            Description = "Let BenchmarkDotNet choose the iterations, instead of a few.",
        };
        var command = new Command("kernels", "Measure the time and allocated bytes of each kernel alone.")
        {
            filter,
            full,
        };
        command.SetAction(arguments => Run(arguments.GetValue(filter)!, arguments.GetValue(full)));
        return command;
    }

    public static void Run(string filter, bool full)
    {
        var scratch = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            // In this process: a generated project would not build with central package versions and warnings as
            // errors. The warm-up is long enough for the tiered JIT to recompile the code; otherwise its first version
            // would be measured.
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
                // Skips BenchmarkDotNet's description of the machine, and its bold text.
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
