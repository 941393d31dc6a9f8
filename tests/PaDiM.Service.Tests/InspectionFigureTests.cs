using System.Globalization;
using System.Net.Http.Json;
using CsvHelper;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Inspections;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using Parquet;

namespace PaDiM.Service.Tests;

/// <summary>Figures and exports over made-up rows.</summary>
public class InspectionFigureTests(SharedService shared)
{
    private static readonly DateTime Start = new(2026, 10, 24, 4, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task Spans_start_when_the_shifts_of_the_line_do()
    {
        // The clocks go back on 25 October, so that night is an hour longer.
        var name = await FillAsync();
        var summary = await shared.Http.GetJsonAsync(
            $"/v1/inspections/summary?category={name}&by=shift&timeZone=Europe/Berlin"
                + "&from=2026-10-24T04:00:00Z&to=2026-10-26T05:00:00Z"
        );
        var spans = summary.Items("spans");
        Assert.Equal(
            ["24 04", "24 12", "24 20", "25 05", "25 13", "25 21"],
            spans.Select(span => span["from"]!.GetValue<DateTime>().ToString("dd HH", CultureInfo.InvariantCulture))
        );
        Assert.Equal([8, 8, 9, 8, 8, 8], spans.Select(span => (int)span.Number("parts")));
        Assert.Equal(49, spans.Sum(span => span["pValues"]!.AsArray().Sum(count => count!.GetValue<int>())));
        Assert.Equal([1, 1, 0, 1, 1, 1], spans.Select(span => (int)span.Number("rejects")));
        var hours = await shared.Http.GetJsonAsync(
            $"/v1/inspections/summary?category={name}&by=hour&from=2026-10-24T04:30:00Z&to=2026-10-24T07:00:00Z"
        );
        Assert.Equal([0, 1, 1], hours.Items("spans").Select(span => (int)span.Number("parts")));
        var days = await shared.Http.GetJsonAsync(
            $"/v1/inspections/summary?category={name}&from=2026-10-24T00:00:00Z&to=2026-10-27T00:00:00Z"
        );
        Assert.Equal([20, 24, 5], days.Items("spans").Select(span => (int)span.Number("parts")));
        Assert.Null(days.Items("spans")[0]["drift"]);
        foreach (
            var wrong in new[]
            {
                "summary",
                $"summary?category={name}&timeZone=Nowhere",
                $"summary?category={name}&shifts=6",
                $"summary?category={name}&by=hour&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
                $"pareto?category={name}&grid=3",
                "pareto",
                "export",
                $"export?category={name}&format=xls",
            }
        )
            await (await shared.Http.GetAsync($"/v1/inspections/{wrong}")).ProblemAsync(400, "invalid_request");
    }

    /// <summary>Figures add up counts of quarters of an hour; the rows, one by one, say the same.</summary>
    [Fact]
    public async Task Figures_are_those_of_the_rows_whatever_happens_to_them()
    {
        var name = shared.NewName();
        await shared.Service.Category(name).CreateAsync();
        var random = new Random(18);
        var rows = Enumerable
            .Range(0, 400)
            .Select(k =>
                InspectionTests.CreateRow(
                    name,
                    $"{name}-{k}",
                    // Also at the very beginning of a quarter, and just before it.
                    InspectionKey.FromTime(Start.AddMinutes(15 * random.Next(200)))
                        + random.Next(3) switch
                        {
                            0 => k,
                            1 => -1 - k,
                            _ => random.Next(900_000_000) * 1024L + k,
                        }
                ) with
                {
                    Part = $"P{k % 7}",
                    Replica = $"line-{k % 3}",
                    Decision = (Decision)random.Next(3),
                    PValue = random.Next(4) == 0 ? random.Next(1, 11) / 10.0 : random.NextDouble(),
                }
            )
            .ToList();
        await using var db = shared.Service.Get<IDatabaseEngine>().CreateLedger();
        foreach (var chunk in rows.Chunk(150))
            Assert.Equal(chunk.Length, (await LedgerRows.InsertAsync(db, chunk, default)).Count);
        Assert.Empty(await LedgerRows.InsertAsync(db, rows[..50], default));
        await AgreeAsync();

        await (
            await shared.Http.PutAsJsonAsync($"/v1/inspections/{name}-1/verdict", new { verdict = "good" })
        ).JsonAsync(200);
        await AgreeAsync();
        await (await shared.Http.DeleteAsync($"/v1/inspections?category={name}&part=P3")).JsonAsync(200);
        rows.RemoveAll(row => row.Part == "P3");
        await AgreeAsync();
        var before = InspectionKey.FromTime(Start.AddHours(20).AddMinutes(7));
        await shared.Service.Get<InspectionStore>().DeleteAsync(name, null, before, default);
        Assert.NotEqual(0, rows.RemoveAll(row => row.Key < before));
        await AgreeAsync();
        await shared.Service.Get<InspectionStore>().DeleteAsync(name, null, long.MaxValue, default);
        Assert.False(await db.InspectionCounts.AnyAsync(count => count.Category == name));

        async Task AgreeAsync()
        {
            foreach (
                var (by, zone, from, to) in new[]
                {
                    ("hour", "UTC", Start, Start.AddHours(50)),
                    ("hour", "Asia/Kolkata", Start.AddMinutes(7), Start.AddHours(49.9)),
                    ("shift", "Asia/Kathmandu", Start.AddTicks(1), Start.AddHours(48)),
                    ("day", "Europe/Berlin", Start.AddHours(-3), Start.AddHours(60)),
                    ("day", "UTC", Start.AddMinutes(31), Start.AddMinutes(39)),
                    ("shift", "UTC&shifts=06:10,14:05,22:20", Start, Start.AddHours(50)),
                }
            )
            {
                var summary = await shared.Http.GetJsonAsync(
                    $"/v1/inspections/summary?category={name}&by={by}&from={from:O}&to={to:O}&timeZone={zone}"
                );
                foreach (var span in summary.Items("spans"))
                {
                    var first = InspectionKey.FromTime(span["from"]!.GetValue<DateTime>());
                    var end = InspectionKey.FromTime(span["to"]!.GetValue<DateTime>());
                    var counted = rows.Where(row => row.Key >= first && row.Key < end).ToList();
                    Assert.Equal(
                        Enum.GetValues<Decision>().Select(d => (double)counted.Count(row => row.Decision == d)),
                        [span.Number("normal"), span.Number("review"), span.Number("rejects")]
                    );
                    Assert.Equal(
                        Enumerable
                            .Range(0, 10)
                            .Select(bin => counted.Count(row => Math.Min(9, (int)(row.PValue * 10)) == bin)),
                        span["pValues"]!.AsArray().Select(count => count!.GetValue<int>())
                    );
                }
            }
        }
    }

    [Fact]
    public async Task Times_that_no_inspection_can_have_are_refused_or_empty()
    {
        var name = await FillAsync();
        foreach (
            var span in new[]
            {
                "from=0001-01-01T00:00:00Z&to=0001-02-01T00:00:00Z",
                "from=9999-12-31T23:00:00Z&to=9999-12-31T23:59:59.9999999Z",
                "from=1969-12-31T00:00:00Z&to=1970-01-02T00:00:00Z",
                "to=9999-12-31T23:59:59Z",
                "to=0001-01-02T00:00:00Z",
            }
        )
        {
            foreach (var by in new[] { "hour", "shift", "day" })
                await (
                    await shared.Http.GetAsync($"/v1/inspections/summary?category={name}&by={by}&{span}")
                ).ProblemAsync(400, "invalid_request");
            Assert.Equal(
                span.StartsWith("to=9", StringComparison.Ordinal) ? 49 : 0,
                (await shared.Http.GetJsonAsync($"/v1/inspections?category={name}&{span}")).Items().Length
            );
        }
    }

    [Fact]
    public async Task A_map_counts_rejects_and_not_regions()
    {
        var name = await FillAsync();
        var map = await shared.Http.GetJsonAsync($"/v1/inspections/pareto?category={name}&grid=4");
        Assert.Equal(5, map.Number("inspections"));
        // Two regions in the first cell are one reject there.
        Assert.Equal("[[5,0,0,0],[0,0,0,0],[0,0,0,5],[0,0,0,5]]", map["cells"]!.ToJsonString());
        var hotspots = map.Items("hotspots");
        Assert.Equal(
            (0.0, 0.0, 5.0, 1.0),
            (
                hotspots[0].Number("x"),
                hotspots[0].Number("y"),
                hotspots[0].Number("inspections"),
                hotspots[0].Number("share")
            )
        );
        Assert.Equal(1, hotspots[^1].Number("cumulative"), 9);
    }

    [Fact]
    public async Task Files_have_every_row_and_no_formula()
    {
        var name = await FillAsync();
        var url = $"/v1/inspections/export?category={name}";
        var response = await shared.Http.GetAsync(url);
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        using (
            var csv = new CsvReader(
                new StringReader(await response.Content.ReadAsStringAsync()),
                CultureInfo.InvariantCulture
            )
        )
        {
            Assert.True(await csv.ReadAsync() && csv.ReadHeader());
            var parts = new List<string?>();
            while (await csv.ReadAsync())
                parts.Add(csv.GetField("part"));
            Assert.Equal(49, parts.Count);
            Assert.All(parts, part => Assert.Equal("'=1+1", part));
        }
        var lines = (await shared.Http.GetStringAsync($"{url}&format=jsonl&decision=anomalous")).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        Assert.Equal(5, lines.Length);
        Assert.Equal(
            (await shared.Http.GetJsonAsync($"/v1/inspections?category={name}&decision=anomalous&order=oldest"))
                .Items()
                .Select(row => row.ToJsonString()),
            lines.Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!.ToJsonString())
        );
        await using var file = new MemoryStream(await shared.Http.GetByteArrayAsync($"{url}&format=parquet"));
        await using var parquet = await ParquetReader.CreateAsync(file);
        Assert.Equal(49, parquet.RowGroups.Sum(group => group.RowCount));
        Assert.Contains("part", parquet.Schema.DataFields.Select(field => field.Name));
        Assert.Empty((await shared.Http.GetStringAsync($"{url}&format=jsonl&to=2026-01-01T00:00:00Z")));
    }

    /// <summary>A row an hour, every tenth a reject.</summary>
    private async Task<string> FillAsync()
    {
        var name = shared.NewName();
        await shared.Service.Category(name).CreateAsync();
        await using var db = shared.Service.Get<IDatabaseEngine>().CreateLedger();
        var rows = Enumerable
            .Range(0, 49)
            .Select(k =>
                InspectionTests.CreateRow(name, $"{name}-{k}", InspectionKey.FromTime(Start.AddHours(k))) with
                {
                    Part = "=1+1",
                    Decision = k % 10 == 5 ? Decision.Anomalous : Decision.Normal,
                    PValue = k % 10 == 5 ? 0.01 : (k % 10 + 1) / 10.0,
                    Width = 400,
                    Height = 200,
                    Regions = k % 10 == 5 ? "[[0,0,20,20,400,9],[30,10,20,20,400,8],[310,110,40,60,2000,7]]" : null,
                }
            )
            .ToList();
        Assert.Equal(49, (await LedgerRows.InsertAsync(db, rows, default)).Count);
        return name;
    }
}
