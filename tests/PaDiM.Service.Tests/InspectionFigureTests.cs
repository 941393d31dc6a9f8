using System.Globalization;
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
