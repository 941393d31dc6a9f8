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
/// Measures the cost of telemetry: recording an image's metrics and writing its log line, in turn with scoring it; and
/// a scrape of many categories.
/// </summary>
internal static class TelemetryCommand
{
    private const int Repeats = 1000;

    public static Command Create() =>
        Workbench.CreateCommand(
            "telemetry",
            "Measure the microseconds and bytes of an image's metrics beside its score, and the time of a scrape.",
            async (workbench, _) =>
            {
                await using var app = PaDiM.Service.Program.Build([
                    "--urls=http://127.0.0.1:0",
                    $"--Padim:DataDirectory={workbench.Scratch}",
                    "--Serilog:MinimumLevel:Default=Fatal",
                ]);
                // Must come first: before the exporter listens, recording does nothing.
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
        var drift = app.Services.GetRequiredService<DriftMonitor>();
        var snapshot = CreateSnapshot(model, backbone, "bench");
        drift.Activate(snapshot);
        var result = CreateResult("bench");

        var score = new Candidate(
            "decoded image to score",
            round => scorer.Score([workbench.Images[round % workbench.Images.Count]])
        );
        var record = new Candidate(
            $"metrics of an image, {Repeats} times",
            _ =>
            {
                for (var i = 0; i < Repeats; i++)
                    Record(metrics, snapshot, result);
            }
        );
        using var log = new LoggerConfiguration()
            .WriteTo.Sink(new DiscardingSink(new CompactJsonFormatter()))
            .CreateLogger();
        var write = new Candidate(
            $"log line of an image, as JSON, {Repeats} times",
            _ =>
            {
                for (var i = 0; i < Repeats; i++)
                    log.Information(
                        "{Category} version {ModelVersion}: {Decision} at {Score}, "
                            + "threshold {Threshold}, part {PartId}",
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

        var table = new ReportTable(
            "what",
            "p50, µs per image",
            "p95",
            "p99",
            "bytes allocated per image",
            "p50 / score"
        );
        foreach (var (candidate, repeats) in new[] { (score, 1), (record, Repeats), (write, Repeats) })
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            candidate.Run(0);
            var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)repeats;
            double Micro(double share) => 1000 * candidate.Times.Percentile(share) / repeats;
            table.Add([
                candidate.Name,
                ReportTable.Format(Micro(0.5)),
                ReportTable.Format(Micro(0.95)),
                ReportTable.Format(Micro(0.99)),
                candidate == score ? "" : ReportTable.Format(bytes),
                (Micro(0.5) / (1000 * score.Times.Median)).ToString(
                    "p3",
                    System.Globalization.CultureInfo.InvariantCulture
                ),
            ]);
        }
        table.Print($"{BackboneRegistry.DefaultName}, {workbench.ThreadCount} threads, {rounds} rounds:");

        await ScrapeAsync(app, metrics, drift, model, backbone);
    }

    private static async Task ScrapeAsync(
        WebApplication app,
        ScoreMetrics metrics,
        DriftMonitor drift,
        PadimModel model,
        Backbone backbone
    )
    {
        var table = new ReportTable("categories", "p50, ms per scrape", "p95", "p99", "KB");
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var recorded = 1;
        foreach (var categories in new[] { 1, 100, CategoryLabels.MaxCategories })
        {
            for (; recorded < categories; recorded++)
            {
                var snapshot = CreateSnapshot(model, backbone, $"category-{recorded}");
                drift.Activate(snapshot);
                for (var i = 0; i < 500; i++)
                    Record(metrics, snapshot, CreateResult(snapshot.Category));
            }
            var times = new Times();
            var length = 0;
            for (var i = 0; i < 20; i++)
            {
                // Within 300 ms of a response the exporter returns the same response again.
                await Task.Delay(350);
                var clock = Stopwatch.StartNew();
                length = (await http.GetByteArrayAsync("/metrics")).Length;
                times.Add(clock.Elapsed.TotalMilliseconds);
            }
            table.Add([$"{categories}", .. times.ToCells(), $"{length / 1000}"]);
        }
        table.Print("Scrapes, drift over 500 images of each category:");
    }

    private static CategoryModel CreateSnapshot(PadimModel model, Backbone backbone, string category)
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
            0,
            [],
            InspectionSettings.Default,
            true,
            1,
            null
        );
    }

    private static void Record(ScoreMetrics metrics, CategoryModel snapshot, RegionScore result)
    {
        metrics.RecordTimes(new Timings(0.02, 4.1, 6.6, 1.9, 0.2, 13));
        metrics.RecordScore(snapshot, result);
    }

    private static RegionScore CreateResult(string category) =>
        new(category, 1, false, 8.5, 10, 0.85, 0.4, Decision.Normal, [], [], 0, new RegionBox(0, 0, 512, 512), []);

    /// <summary>Formats events and discards them, to leave out the cost of a console or a pipe.</summary>
    private sealed class DiscardingSink(CompactJsonFormatter formatter) : Serilog.Core.ILogEventSink
    {
        public void Emit(Serilog.Events.LogEvent logEvent) => formatter.Format(logEvent, TextWriter.Null);
    }
}
