using System.CommandLine;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using PaDiM.Bench.Measuring;
using PaDiM.Bench.Speed;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;
using Serilog;
using Serilog.Formatting.Compact;

namespace PaDiM.Bench;

/// <summary>
/// What it costs to be seen: recording an image's metrics, and one line of the log, in turn with scoring it; and a
/// scrape of many categories.
/// </summary>
internal static class TelemetryCommand
{
    private const int Repeats = 1000;

    public static Command Create() =>
        Workbench.Command(
            "telemetry",
            "Microseconds and bytes of an image's metrics beside its score, and milliseconds of a scrape.",
            async (workbench, _) =>
            {
                await using var app = PaDiM.Service.Program.Build([
                    "--urls=http://127.0.0.1:0",
                    $"--Padim:DataDirectory={workbench.Scratch}",
                    "--Serilog:MinimumLevel:Default=Fatal",
                ]);
                // Before anything is recorded: until the exporter listens, a recording is nothing.
                await PaDiM.Service.Hosting.Preparation.PrepareAsync(app);
                await app.StartAsync();
                await RunAsync(workbench, app);
                await app.StopAsync();
            }
        );

    private static async Task RunAsync(Workbench workbench, WebApplication app)
    {
        var backbone = workbench.Open(BackboneRegistry.DefaultName);
        var model = workbench.Fit(BackboneRegistry.DefaultName);
        using var scorer = new InProcessScorer(model, backbone);
        var metrics = app.Services.GetRequiredService<ScoreMetrics>();
        var snapshot = Snapshot(model, backbone, "bench");
        var result = Result("bench");

        var score = new Candidate(
            "decoded image to score",
            round => scorer.Score([workbench.Images[round % workbench.Images.Count]])
        );
        var record = new Candidate(
            $"its metrics, {Repeats} times",
            _ =>
            {
                for (var i = 0; i < Repeats; i++)
                    metrics.Scored(snapshot, result);
            }
        );
        using var log = new LoggerConfiguration()
            .WriteTo.Sink(new NowhereSink(new CompactJsonFormatter()))
            .CreateLogger();
        var write = new Candidate(
            $"its line of the log, as JSON, {Repeats} times",
            _ =>
            {
                for (var i = 0; i < Repeats; i++)
                    log.Information(
                        "{Category} version {ModelVersion}: {Decision} at {Score}, threshold {Threshold}, part {PartId}",
                        result.Category,
                        result.ModelVersion,
                        result.Decision,
                        result.Score,
                        result.Threshold,
                        "SN-004711"
                    );
            }
        );
        var rounds = Rounds.Run([score, record, write], TimeSpan.FromSeconds(20));

        var table = new Table("what", "p50, µs an image", "p95", "p99", "bytes allocated an image", "p50 over score");
        foreach (var (candidate, repeats) in new[] { (score, 1), (record, Repeats), (write, Repeats) })
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            candidate.Run(0);
            var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)repeats;
            double Micro(double share) => 1000 * candidate.Times.Percentile(share) / repeats;
            table.Add([
                candidate.Name,
                Table.Number(Micro(0.5)),
                Table.Number(Micro(0.95)),
                Table.Number(Micro(0.99)),
                candidate == score ? "" : Table.Number(bytes),
                (Micro(0.5) / (1000 * score.Times.Median)).ToString(
                    "p3",
                    System.Globalization.CultureInfo.InvariantCulture
                ),
            ]);
        }
        table.Print($"{BackboneRegistry.DefaultName}, {workbench.ThreadCount} threads, {rounds} rounds:");

        await ScrapeAsync(app, metrics, model, backbone);
    }

    private static async Task ScrapeAsync(WebApplication app, ScoreMetrics metrics, PadimModel model, Backbone backbone)
    {
        var table = new Table("categories", "p50, ms a scrape", "p95", "p99", "KB");
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var seen = 1;
        foreach (var categories in new[] { 1, 100, CategoryLabels.MaxCategories })
        {
            for (; seen < categories; seen++)
            for (var i = 0; i < 500; i++)
                metrics.Scored(Snapshot(model, backbone, $"category-{seen}"), Result($"category-{seen}"));
            var times = new Times();
            var length = 0;
            for (var i = 0; i < 20; i++)
            {
                // Within 300 ms of an answer the exporter gives the same again.
                await Task.Delay(350);
                var clock = Stopwatch.StartNew();
                length = (await http.GetByteArrayAsync("/metrics")).Length;
                times.Add(clock.Elapsed.TotalMilliseconds);
            }
            table.Add([$"{categories}", .. times.Cells(), $"{length / 1000}"]);
        }
        table.Print("A scrape, drift over 500 images of each category:");
    }

    private static CategoryModel Snapshot(PadimModel model, Backbone backbone, string category)
    {
        var stored = new StoredModel
        {
            Category = category,
            Version = 1,
            BackboneName = "",
            BackboneSha256 = "",
            FileName = "",
            Sha256 = "",
        };
        return new CategoryModel(
            category,
            1,
            new CachedModel(stored, new ModelScorer(model, backbone), TimeProvider.System),
            10,
            true,
            0.01,
            null,
            true,
            1,
            null
        );
    }

    private static ScoreResponse Result(string category) =>
        new(
            category,
            1,
            false,
            8.5,
            10,
            0.4,
            Decision.Normal,
            [],
            new ScoredImage(512, 512, ""),
            null,
            new Timings(0.02, 4.1, 6.6, 1.9, 0.2, 13),
            "cpu"
        );

    /// <summary>Formats and forgets: what a console or a pipe takes is not this program's.</summary>
    private sealed class NowhereSink(CompactJsonFormatter formatter) : Serilog.Core.ILogEventSink
    {
        public void Emit(Serilog.Events.LogEvent logEvent) => formatter.Format(logEvent, TextWriter.Null);
    }
}
