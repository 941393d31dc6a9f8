using System.CommandLine;

namespace PaDiM.Bench;

/// <summary>
/// Measures the ledger: pages and figures among millions of rows, the deletion of old ones, a steady stream of inspections,
/// and what it costs a score.
/// </summary>
internal static class LedgerCommand
{
    public static Command Create()
    {
        var rows = new Option<int>("--rows")
        {
            Description = "Rows in the ledger; 0 to measure scores only.",
            DefaultValueFactory = _ => 10_000_000,
        };
        var database = new Option<string?>("--postgres")
        {
            Description = "Connection string of an empty database of PostgreSQL. Default: SQLite.",
        };
        var seconds = new Option<int>("--stream")
        {
            Description = "Seconds of 1,000 inspections each to write; 0 for none.",
            DefaultValueFactory = _ => 0,
        };
        var command = Workbench.CreateCommand(
            "ledger",
            "Measure pages, figures and retention of the ledger among many rows, a steady stream of inspections, and p99 of "
                + "scores with and without it.",
            async (workbench, arguments) =>
            {
                string[] store = arguments.GetValue(database) is { } connection
                    ? ["--Padim:Database:Provider=postgresql", $"--Padim:Database:ConnectionString={connection}"]
                    : [];
                await using var app = PaDiM.Service.Program.Build([
                    "--urls=http://127.0.0.1:0",
                    $"--Padim:DataDirectory={workbench.Scratch}",
                    "--Serilog:MinimumLevel:Default=Fatal",
                    .. store,
                ]);
                await PaDiM.Service.Hosting.Preparation.PrepareAsync(app);
                await app.StartAsync();
                if (arguments.GetValue(rows) is var count and > 0)
                    await LedgerPages.MeasureAsync(app, count, store.Length > 0);
                await LedgerScores.MeasureAsync(app);
                if (arguments.GetValue(seconds) is var length and > 0)
                    await LedgerStream.MeasureAsync(app.Services, length);
                await app.StopAsync();
            }
        );
        command.Add(rows);
        command.Add(database);
        command.Add(seconds);
        return command;
    }
}
