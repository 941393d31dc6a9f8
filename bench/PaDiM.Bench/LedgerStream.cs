using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PaDiM.Core.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Images;
using PaDiM.Service.Inspections;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

namespace PaDiM.Bench;

/// <summary>Measures what the ledger does with a steady stream of inspections.</summary>
internal static class LedgerStream
{
    /// <summary>Hands a thousand inspections a second to the ledger, without scoring, and watches what it does with them.</summary>
    public static async Task MeasureAsync(IServiceProvider services, int seconds)
    {
        const int rate = 1000;
        var ledger = services.GetRequiredService<InspectionLedger>();
        if (
            !(await services.GetRequiredService<PartRegistry>().AcquireAsync("kept", null, default)).Succeeded(
                out var models,
                out _
            )
        )
            throw new InvalidOperationException("There is no model.");
        // Without images: their bytes are the disk's matter and not the ledger's.
        models = models with
        {
            Models =
            [
                models.Models[0] with
                {
                    Inspections = InspectionSettings.Default with { Images = new(KeptInspections.None, null) },
                },
            ],
        };
        var file = new RequestFile("files", "", [], null, null);
        var region = new AnomalyRegion(354, 166, 76, 148, 6308, 39.8f);
        var before = await CountAsync(services);
        var processor = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        var longest = TimeSpan.Zero;
        for (var sent = 0; sent < rate * seconds; )
        {
            for (; sent < rate * clock.Elapsed.TotalSeconds && sent < rate * seconds; sent++)
            {
                var began = Stopwatch.GetTimestamp();
                await ledger.AddAsync(
                    new ScoredInspection(CreateInspection(sent, sent % 97 == 0 ? [region] : []), models, [], file)
                );
                var taken = Stopwatch.GetElapsedTime(began);
                longest = taken > longest ? taken : longest;
            }
            await Task.Delay(5);
        }
        var sending = clock.Elapsed;
        clock.Restart();
        await ledger.FlushAsync(default);
        Console.WriteLine(
            $"{rate * seconds} inspections in {sending.TotalSeconds:f1} s: {await CountAsync(services) - before} rows written, "
                + $"{ledger.Lost} lost, the last one {clock.Elapsed.TotalMilliseconds:f0} ms after it came; handing one over "
                + $"took {longest.TotalMilliseconds:f1} ms at most; {(Environment.CpuUsage.TotalTime - processor) / sending:p0} of "
                + "a core"
        );
    }

    private static async Task<int> CountAsync(IServiceProvider services)
    {
        await using var db = services.GetRequiredService<IDatabaseEngine>().CreateLedger();
        return await db.Inspections.CountAsync(row => row.Category == "kept");
    }

    private static Inspection CreateInspection(int number, IReadOnlyList<AnomalyRegion> regions) =>
        new(
            $"stream-{number}",
            "kept",
            $"SN-{number}",
            $"camera-{number % 4}",
            $"L-{number / 5000}",
            DateTime.UtcNow,
            regions.Count > 0 ? Decision.Anomalous : Decision.Normal,
            12.5 + number % 20,
            20,
            number % 100 / 100.0,
            "kept",
            1,
            0,
            false,
            regions,
            [],
            new ScoredImage(512, 512, new string('a', 64)),
            new Timings(0.4, 9.5, 19.9, 16.5, 2.1, 48.5),
            "line-a"
        );
}
