using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Inspections;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The ledger over HTTP.</summary>
public class InspectionTests(SharedService shared)
{
    private RunningService Service => shared.Service;

    private HttpClient Http => shared.Http;

    [Fact]
    public async Task An_inspection_is_what_the_answer_said()
    {
        var category = await NewFittedAsync();
        var answer = await Service.InspectAsync(
            category,
            Parts.Bad(5),
            "",
            ("X-Part-Id", "SN-1"),
            ("X-Station-Id", "S2"),
            ("X-Lot-Id", "L3"),
            ("X-Inspection-Id", $"first-{category.Name}")
        );
        var kept = await GetAsync(answer);
        foreach (
            var member in new[] { "category", "score", "threshold", "pValue", "decision", "modelVersion", "timingsMs" }
        )
            Assert.Equal(answer[member]!.ToJsonString(), kept[member]!.ToJsonString());
        Assert.Equal(answer["inspectionId"]!.ToJsonString(), kept["id"]!.ToJsonString());
        Assert.Equal(("SN-1", "S2", "L3"), (kept.Text("part"), kept.Text("station"), kept.Text("lot")));
        Assert.Equal(answer.Items("regions").Length, kept.Items("regions").Length);
        Assert.Equal(
            answer.Items("regions")[0]["width"]!.ToJsonString(),
            kept.Items("regions")[0]["width"]!.ToJsonString()
        );
        Assert.Equal(answer["image"]!.Text("sha256"), kept["image"]!.Text("sha256"));
        Assert.Equal(category.Name, kept.Text("decidedBy"));
        Assert.Null(kept["verdict"]);
        Assert.InRange(
            DateTime.UtcNow - kept["at"]!.GetValue<DateTime>(),
            TimeSpan.FromMinutes(-1),
            TimeSpan.FromMinutes(5)
        );

        var image = await Http.GetAsync($"/v1/inspections/{kept.Text("id")}/image");
        Assert.Equal("image/bmp", image.Content.Headers.ContentType?.MediaType);
        Assert.Equal(Parts.Bad(5), await image.Content.ReadAsByteArrayAsync());
        var drawn = await (
            await category.SendScoreAsync(Parts.Bad(5), accept: "image/png")
        ).Content.ReadAsByteArrayAsync();
        Assert.Equal(drawn, await Http.GetByteArrayAsync($"/v1/inspections/{kept.Text("id")}/heatmap"));
        var scored = await category.ScoreAsync(Parts.Bad(5), "?contours=true&heatmap=map");
        var redrawn = await Http.GetFromJsonAsync<JsonNode>($"/v1/inspections/{kept.Text("id")}/drawing?heatmap=map");
        foreach (var member in new[] { "regions", "defectAreaPercent", "heatmap" })
            Assert.Equal(scored[member]!.ToJsonString(), redrawn![member]!.ToJsonString());
        await Service.SettleAsync();
        var decisions = (await ListAsync($"category={category.Name}")).Items().Length;
        // A change of the threshold does not change what was.
        await (await category.PatchThresholdAsync(new { threshold = 1e6 })).JsonAsync(200);
        Assert.Equal(drawn, await Http.GetByteArrayAsync($"/v1/inspections/{kept.Text("id")}/heatmap"));
        await Service.SettleAsync();
        Assert.Equal(decisions, (await ListAsync($"category={category.Name}")).Items().Length);
    }

    [Fact]
    public async Task The_same_identifier_is_one_inspection_of_its_category()
    {
        var category = await NewFittedAsync();
        var other = await NewFittedAsync();
        await Task.WhenAll(
            Enumerable
                .Range(0, 6)
                .Select(_ => Service.InspectAsync(category, Parts.Bad(1), "", ("X-Inspection-Id", "same")))
        );
        await Service.InspectAsync(other, Parts.Good(1), "", ("X-Inspection-Id", "same"));
        Assert.Single((await ListAsync($"category={category.Name}")).Items());
        await (await Http.GetAsync("/v1/inspections/same")).ProblemAsync(400, "invalid_request");
        Assert.Equal(
            other.Name,
            (await Http.GetJsonAsync($"/v1/inspections/same?category={other.Name}")).Text("category")
        );
        await (await Http.GetAsync("/v1/inspections/nobody")).ProblemAsync(404, "inspection_not_found");
    }

    [Fact]
    public async Task Pages_have_every_row_once_in_every_order()
    {
        var category = await NewFittedAsync();
        for (var k = 0; k < 7; k++)
            await Service.InspectAsync(
                category,
                k % 3 == 0 ? Parts.Bad(k) : Parts.Good(k),
                "",
                ("X-Part-Id", $"P{k % 2}"),
                ("X-Lot-Id", k < 4 ? "a" : "b")
            );
        var all = await ReadAsync($"category={category.Name}");
        Assert.Equal(7, all.Count);
        Assert.Equal(all.OrderByDescending(row => row.Text("id"), StringComparer.Ordinal), all);
        var oldest = await ReadAsync($"category={category.Name}&order=oldest");
        Assert.Equal(all.Select(row => row.Text("id")).Reverse(), oldest.Select(row => row.Text("id")));
        var highest = await ReadAsync($"category={category.Name}&order=highest");
        Assert.Equal(
            all.Select(row => row.Number("score")).OrderDescending(),
            highest.Select(row => row.Number("score"))
        );
        var lowest = await ReadAsync($"category={category.Name}&order=lowest");
        Assert.Equal(all.Select(row => row.Number("score")).Order(), lowest.Select(row => row.Number("score")));

        Assert.Equal(3, (await ReadAsync($"category={category.Name}&decision=anomalous")).Count);
        Assert.Equal(4, (await ReadAsync($"category={category.Name}&part=P0")).Count);
        Assert.Equal(3, (await ReadAsync($"category={category.Name}&lot=b")).Count);
        Assert.Equal(3, (await ReadAsync($"category={category.Name}&verdict=open")).Count);
        Assert.Equal(7, (await ReadAsync($"category={category.Name}&verdict=none")).Count);
        var middle = highest[3].Number("score");
        var above = await ReadAsync(FormattableString.Invariant($"category={category.Name}&minScore={middle:r}"));
        Assert.Equal(highest.Take(4).Select(row => row.Text("id")), above.Select(row => row.Text("id")));
        var at = oldest[3].Text("at");
        Assert.Equal(4, (await ReadAsync($"category={category.Name}&from={Uri.EscapeDataString(at)}")).Count);
        Assert.Equal(3, (await ReadAsync($"category={category.Name}&to={Uri.EscapeDataString(at)}")).Count);

        foreach (
            var query in new[]
            {
                "decision=anomalous",
                "order=highest",
                "category=x&minScore=NaN",
                "category=x&minScore=1,5",
                "category=x&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
                "category=x&order=best",
                "category=x&cursor=abc",
            }
        )
            await (await Http.GetAsync($"/v1/inspections?{query}")).ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task A_category_says_what_it_keeps()
    {
        var category = await NewFittedAsync();
        var settings = (await Http.GetJsonAsync(category.Url))["inspections"]!;
        Assert.Equal(
            """{"keep":"all","images":"review","days":90,"bytes":null,"durable":false}""",
            settings.ToJsonString()
        );
        var good = await Service.InspectAsync(category, Parts.Good(1));
        await (await Http.GetAsync($"/v1/inspections/{good.Text("inspectionId")}/image")).ProblemAsync(
            404,
            "inspection_image_not_kept"
        );
        await (await Http.GetAsync($"/v1/inspections/{good.Text("inspectionId")}/heatmap")).ProblemAsync(
            404,
            "inspection_image_not_kept"
        );

        await PatchAsync(category, new { keep = "anomalous", images = "all" });
        good = await Service.InspectAsync(category, Parts.Good(2));
        await (await Http.GetAsync($"/v1/inspections/{good.Text("inspectionId")}")).ProblemAsync(
            404,
            "inspection_not_found"
        );
        Assert.NotNull((await GetAsync(await Service.InspectAsync(category, Parts.Bad(2))))["image"]!["keptBytes"]);

        // A patch changes what it names.
        settings = await PatchAsync(category, new { keep = (string?)null, days = 3 });
        Assert.Equal(
            """{"keep":"all","images":"all","days":3,"bytes":null,"durable":false}""",
            settings.ToJsonString()
        );
        Assert.NotNull((await GetAsync(await Service.InspectAsync(category, Parts.Good(3))))["image"]!["keptBytes"]);
        await PatchAsync(category, new { images = "sample:1e-9" });
        Assert.Null((await GetAsync(await Service.InspectAsync(category, Parts.Good(4))))["image"]!["keptBytes"]);
        await PatchAsync(category, new { images = "sample:1" });
        Assert.NotNull((await GetAsync(await Service.InspectAsync(category, Parts.Good(4))))["image"]!["keptBytes"]);
        await PatchAsync(category, new { keep = "none" });
        var before = (await ListAsync($"category={category.Name}")).Items().Length;
        await Service.InspectAsync(category, Parts.Bad(3));
        Assert.Equal(before, (await ListAsync($"category={category.Name}")).Items().Length);
        foreach (
            var wrong in new object[]
            {
                new { images = "some" },
                new { images = "sample:0" },
                new { images = "sample:1.5" },
                new { images = "sample:nan" },
                new { days = 0 },
                new { days = 3661 },
                new { bytes = -1 },
            }
        )
        {
            await (await Http.PatchAsJsonAsync(category.Url, new { inspections = wrong })).ProblemAsync(
                422,
                "invalid_settings"
            );
            await (
                await Http.PutAsJsonAsync($"/v1/categories/{shared.NewName()}", new { inspections = wrong })
            ).ProblemAsync(422, "invalid_settings");
        }
        await (await Http.PatchAsJsonAsync(category.Url, new { inspections = new { keep = "some" } })).ProblemAsync(
            400,
            "invalid_request"
        );
    }

    [Fact]
    public async Task Raw_pixels_are_kept_with_what_the_request_said()
    {
        var category = await NewFittedAsync();
        await PatchAsync(category, new { images = "all" });
        var pixels = new byte[2 * Parts.Side * Parts.Side];
        Random.Shared.NextBytes(pixels);
        for (var k = 1; k < pixels.Length; k += 2)
            pixels[k] &= 0x0F;
        var query = $"?width={Parts.Side}&height={Parts.Side}&format=gray16&significantBits=12";
        var id = (await Service.InspectAsync(category, pixels, query)).Text("inspectionId");
        var image = await Http.GetAsync($"/v1/inspections/{id}/image");
        Assert.Equal("application/octet-stream", image.Content.Headers.ContentType?.MediaType);
        Assert.Equal(pixels, await image.Content.ReadAsByteArrayAsync());
        var drawn = await category.SendScoreAsync(pixels, query, "application/octet-stream", "image/png");
        Assert.Equal(
            await drawn.Content.ReadAsByteArrayAsync(),
            await Http.GetByteArrayAsync($"/v1/inspections/{id}/heatmap")
        );
    }

    [Fact]
    public async Task Verdicts_replace_each_other_and_empty_the_queue()
    {
        var category = await NewFittedAsync();
        var id = (await Service.InspectAsync(category, Parts.Bad(1))).Text("inspectionId");
        var open = $"category={category.Name}&verdict=open";
        Assert.Single((await ListAsync(open)).Items());
        foreach (
            var wrong in new object[]
            {
                new { verdict = "good", defect = "scratch" },
                new { verdict = "defective", defect = " " },
                new { verdict = "defective", defect = new string('x', 65) },
                new { verdict = "fine" },
            }
        )
            await (await Http.PutAsJsonAsync($"/v1/inspections/{id}/verdict", wrong)).ProblemAsync(
                400,
                "invalid_request"
            );
        var said = await (
            await Http.PutAsJsonAsync(
                $"/v1/inspections/{id}/verdict",
                new { verdict = "defective", defect = "scratch" }
            )
        ).JsonAsync(200);
        Assert.Equal(said.ToJsonString(), (await Http.GetJsonAsync($"/v1/inspections/{id}")).ToJsonString());
        Assert.Equal(("defective", "scratch"), (said["verdict"]!.Text("verdict"), said["verdict"]!.Text("defect")));
        Assert.Empty((await ListAsync(open)).Items());
        Assert.Single((await ListAsync($"category={category.Name}&verdict=defective")).Items());
        said = await (await Http.PutAsJsonAsync($"/v1/inspections/{id}/verdict", new { verdict = "good" })).JsonAsync(
            200
        );
        Assert.Null(said["verdict"]!["defect"]);
        Assert.Equal(204, (int)(await Http.DeleteAsync($"/v1/inspections/{id}/verdict")).StatusCode);
        Assert.Single((await ListAsync(open)).Items());
    }

    [Fact]
    public async Task Parts_and_categories_take_their_inspections_and_photographs_with_them()
    {
        var category = await NewFittedAsync();
        var ids = new List<string>();
        foreach (var part in new[] { "A", "B", "A" })
            ids.Add(
                (await Service.InspectAsync(category, Parts.Bad(ids.Count), "", ("X-Part-Id", part))).Text(
                    "inspectionId"
                )
            );
        var folder = Path.Combine(Service.Get<DataDirectory>().Inspections, category.Name);
        Assert.Equal(3, Directory.GetFiles(folder).Length);
        var deleted = await (await Http.DeleteAsync($"/v1/inspections?category={category.Name}&part=A")).JsonAsync(200);
        Assert.Equal(2, deleted.Number("deleted"));
        Assert.Equal([ids[1]], (await ListAsync($"category={category.Name}")).Items().Select(row => row.Text("id")));
        Assert.Single(Directory.GetFiles(folder));
        await (await Http.DeleteAsync($"/v1/inspections?category={category.Name}")).ProblemAsync(
            400,
            "invalid_request"
        );
        await (await Http.DeleteAsync("/v1/inspections?part=A")).ProblemAsync(400, "invalid_request");
        // A filter that deletes do not know must not be left out.
        await (await Http.DeleteAsync($"/v1/inspections?category={category.Name}&part=B&lot=L1")).ProblemAsync(
            400,
            "invalid_request"
        );
        Assert.Single((await ListAsync($"category={category.Name}")).Items());

        // Without a pause: what waits to be written goes too.
        await category.ScoreAsync(Parts.Bad(7));
        Assert.Equal(204, (int)(await Http.DeleteAsync(category.Url)).StatusCode);
        await Service.SettleAsync();
        Assert.Empty((await ListAsync($"category={category.Name}")).Items());
        Assert.Empty(Directory.GetFiles(folder));
    }

    /// <summary>Each way to find rows finds the same, in the same order.</summary>
    [Fact]
    public async Task Every_filter_and_order_shows_the_rows_that_it_should()
    {
        var random = new Random(11);
        var name = shared.NewName();
        // Retention deletes rows of no category, and old ones.
        await Service.Category(name).CreateAsync(new { inspections = new { days = 3660 } });
        var start = new DateTime(2026, 2, 1, 0, 0, 0, DateTimeKind.Utc);
        var rows = Enumerable
            .Range(0, 60)
            .Select(k =>
                CreateRow(name, $"{name}-{k}", InspectionKey.FromTime(start.AddMinutes(k))) with
                {
                    Part = random.Next(3) == 0 ? "P" : null,
                    Decision = (Decision)random.Next(3),
                    Score = random.Next(12),
                }
            )
            .ToList();
        await using (var db = Service.Get<IDatabaseEngine>().CreateLedger())
            await LedgerRows.InsertAsync(db, rows, default);
        await Http.PutAsJsonAsync($"/v1/inspections/{name}-1/verdict", new { verdict = "good" });
        var said = rows[1].Id;
        var filters = new (string Query, Func<StoredInspection, bool> Keeps)[]
        {
            ("", _ => true),
            ("&part=P", row => row.Part == "P"),
            ("&decision=anomalous", row => row.Decision == Decision.Anomalous),
            ("&decision=normal", row => row.Decision == Decision.Normal),
            ("&verdict=good", row => row.Id == said),
            ("&verdict=open", row => row.Decision != Decision.Normal && row.Id != said),
        };
        var bounds = new (string Query, Func<StoredInspection, bool> Keeps)[]
        {
            ("", _ => true),
            ("&minScore=5", row => row.Score >= 5),
            ("&minScore=3&maxScore=8", row => row.Score is >= 3 and <= 8),
            ("&from=2026-02-01T00:10:00Z", row => row.At >= start.AddMinutes(10)),
            (
                "&from=2026-02-01T00:10:00Z&to=2026-02-01T00:40:00Z&maxScore=9",
                row => row.At >= start.AddMinutes(10) && row.At < start.AddMinutes(40) && row.Score <= 9
            ),
        };
        foreach (var filter in filters)
        foreach (var bound in bounds)
        foreach (var order in new[] { "newest", "oldest", "highest", "lowest" })
        {
            var expected = rows.Where(filter.Keeps).Where(bound.Keeps);
            expected = order switch
            {
                "newest" => expected.OrderByDescending(row => row.Key),
                "oldest" => expected.OrderBy(row => row.Key),
                "highest" => expected.OrderByDescending(row => row.Score).ThenByDescending(row => row.Key),
                _ => expected.OrderBy(row => row.Score).ThenBy(row => row.Key),
            };
            var query = $"category={name}{filter.Query}{bound.Query}&order={order}";
            var first = await ListAsync($"{query}&limit=7");
            var shown = first.Items().Select(row => row.Text("id")).ToList();
            if (first["nextCursor"] is { } cursor)
                shown.AddRange((await ListAsync($"{query}&cursor={cursor}")).Items().Select(row => row.Text("id")));
            Assert.Equal(expected.Select(row => row.Id), shown);
        }
    }

    [Fact]
    public async Task A_key_that_is_taken_gives_way_to_the_next_one()
    {
        await using var db = Service.Get<IDatabaseEngine>().CreateLedger();
        var name = shared.NewName();
        var key = InspectionKey.FromTime(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var rows = Enumerable.Range(0, 250).Select(k => CreateRow(name, $"{k}", key)).ToList();
        Assert.Equal(250, (await LedgerRows.InsertAsync(db, rows, default)).Count);
        Assert.Empty(await LedgerRows.InsertAsync(db, rows, default));
        Assert.Equal(
            Enumerable.Range(0, 250).Select(k => key + k),
            await db.Inspections.Where(row => row.Category == name).Select(row => row.Key).Order().ToListAsync()
        );
        Assert.Equal(250, await Service.Get<InspectionStore>().DeleteAsync(name, null, long.MaxValue, default));
    }

    internal static StoredInspection CreateRow(string category, string id, long key) =>
        new()
        {
            Key = key,
            Id = id,
            Category = category,
            Sha256 = new string('0', 64),
            Timings = "0,0,0,0,0,0",
            Replica = "a",
        };

    private async Task<CategoryClient> NewFittedAsync()
    {
        var fitted = await shared.FittedAsync();
        var category = Service.Category(shared.NewName());
        await category.CreateAsync();
        var model = await Http.GetByteArrayAsync($"{fitted.Url}/models/1/export");
        await (
            await Http.PostAsync(
                $"{category.Url}/models/import?activate=true",
                CategoryClient.Raw(model, "application/octet-stream")
            )
        ).JsonAsync(201);
        return category;
    }

    private Task<JsonNode> GetAsync(JsonNode answer) =>
        Http.GetJsonAsync($"/v1/inspections/{answer.Text("inspectionId")}");

    private Task<JsonNode> ListAsync(string query) => Http.GetJsonAsync($"/v1/inspections?{query}");

    private async Task<List<JsonNode>> ReadAsync(string query)
    {
        var rows = new List<JsonNode>();
        for (string? cursor = null; ; )
        {
            var page = await ListAsync($"{query}&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            rows.AddRange(page.Items());
            if ((cursor = page["nextCursor"]?.GetValue<string>()) is null)
                return rows;
        }
    }

    private async Task<JsonNode> PatchAsync(CategoryClient category, object inspections) =>
        (await (await Http.PatchAsJsonAsync(category.Url, new { inspections })).JsonAsync(200))["inspections"]!;
}
