using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Data;
using PaDiM.Service.Learning;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Inspections of the past are decided again.</summary>
public class LookbackTests(SharedService shared)
{
    private HttpClient Http => shared.Http;

    [Fact]
    public async Task A_threshold_is_tried_on_the_scores_of_then()
    {
        var category = await FittedAsync();
        var scores = new List<double>();
        for (var k = 0; k < 6; k++)
            scores.Add(
                (await shared.Service.InspectAsync(category, k < 4 ? Parts.Good(80 + k) : Parts.Bad(80 + k))).Number(
                    "score"
                )
            );
        // Between the second and the third of the good parts.
        var sorted = scores.Take(4).Order().ToArray();
        var threshold = (sorted[1] + sorted[2]) / 2;
        var lookback = await LookAsync(category, new { threshold });
        Assert.Equal((category.Name, 1.0), (lookback.Text("category"), lookback.Number("modelVersion")));
        var figures = lookback["figures"]!;
        Assert.Equal(threshold, figures.Number("threshold"));
        Assert.Equal(
            (6.0, 6.0, 0.0),
            (figures.Number("inspections"), figures.Number("replayed"), figures.Number("scored"))
        );
        Assert.Equal(2, figures.Number("flips"));
        Assert.Equal(
            [("normal", "normal", 2), ("normal", "anomalous", 2), ("anomalous", "anomalous", 2)],
            figures
                .Items("decisions")
                .Select(d => (d.Text("decision"), d.Text("newDecision"), (int)d.Number("inspections")))
        );
        Assert.Equal([1.0, null, 1.0], figures.Items("coverage").Select(c => c["share"]?.GetValue<double>()));
        Assert.Equal(6, figures.Items("days").Sum(day => day.Number("inspections")));
        Assert.Equal(4, figures.Items("days").Sum(day => day.Number("newRejects")));

        var first = await Http.GetJsonAsync($"/v1/lookbacks/{lookback.Text("id")}/inspections?limit=1");
        var second = await Http.GetJsonAsync(
            $"/v1/lookbacks/{lookback.Text("id")}/inspections?limit=1&cursor={first.Text("nextCursor")}"
        );
        Assert.Null((string?)second["nextCursor"]);
        var flips = first.Items().Concat(second.Items()).ToArray();
        Assert.All(
            flips,
            flip =>
                Assert.Equal(("anomalous", "normal"), (flip.Text("newDecision"), flip["inspection"]!.Text("decision")))
        );
        Assert.Equal(sorted[2..], flips.Select(flip => flip.Number("newScore")).Order());
        Assert.Equal(
            [lookback.Text("id")],
            (await Http.GetJsonAsync($"{category.Url}/lookbacks")).Items().Select(one => one.Text("id"))
        );
        Assert.Equal(threshold, lookback["figures"]!.Number("threshold"));

        // Nothing changed, and nothing is found where nothing was.
        Assert.Empty((await Http.GetJsonAsync($"{category.Url}/threshold")).Items("history"));
        lookback = await LookAsync(
            category,
            new
            {
                threshold,
                from = "2026-01-01T00:00:00Z",
                to = "2026-01-02T00:00:00Z",
            }
        );
        Assert.Equal(0, lookback["figures"]!.Number("inspections"));
        Assert.Empty(lookback["figures"]!.Items("days"));
    }

    [Fact]
    public async Task A_candidate_is_tried_on_the_photographs_that_are_kept()
    {
        var category = await FittedAsync();
        for (var k = 0; k < 4; k++)
            await shared.Service.InspectAsync(
                category,
                k < 2 ? Parts.Good(90 + k) : Parts.Bad(90 + k),
                "",
                ("X-Part-Id", $"P{k}")
            );
        await category.UploadPartsAsync(6, 2);
        await category.FitAsync(new { activate = false });
        // By default only photographs of rejects are kept.
        var lookback = await LookAsync(category, new { modelVersion = 2, threshold = 1e6 });
        var figures = lookback["figures"]!;
        Assert.Equal(
            (4.0, 2.0, 2.0, 2.0),
            (
                figures.Number("inspections"),
                figures.Number("replayed"),
                figures.Number("scored"),
                figures.Number("flips")
            )
        );
        Assert.Equal([0.0, null, 1.0], figures.Items("coverage").Select(c => c["share"]?.GetValue<double>()));
        var flips = (await Http.GetJsonAsync($"/v1/lookbacks/{lookback.Text("id")}/inspections")).Items();
        Assert.Equal(["P3", "P2"], flips.Select(flip => flip["inspection"]!.Text("part")));
        Assert.Equal(
            (await category.ScoreAsync(Parts.Bad(93), "?model=2")).Number("score"),
            flips[0].Number("newScore")
        );

        // What is deleted since is not listed.
        await (await Http.DeleteAsync($"/v1/inspections?category={category.Name}&part=P3")).JsonAsync(200);
        flips = (await Http.GetJsonAsync($"/v1/lookbacks/{lookback.Text("id")}/inspections?limit=1")).Items();
        Assert.Equal(["P2"], flips.Select(flip => flip["inspection"]!.Text("part")));
        // The active version has its scores in the rows.
        figures = (await LookAsync(category, new { modelVersion = 1 }))["figures"]!;
        Assert.Equal(
            (3.0, 3.0, 0.0, 0.0),
            (
                figures.Number("inspections"),
                figures.Number("replayed"),
                figures.Number("scored"),
                figures.Number("flips")
            )
        );
        Assert.Equal(204, (int)(await Http.DeleteAsync(category.Url)).StatusCode);
        await (await Http.GetAsync($"/v1/lookbacks/{lookback.Text("id")}")).ProblemAsync(404, "lookback_not_found");
    }

    [Fact]
    public async Task What_means_nothing_is_refused()
    {
        var category = await FittedAsync();
        foreach (
            var wrong in new object[]
            {
                new { },
                new { threshold = -1 },
                new
                {
                    threshold = 1,
                    from = "2026-01-02T00:00:00Z",
                    to = "2026-01-01T00:00:00Z",
                },
                new { threshold = 1, to = "yesterday" },
                // Seven days before the first day there is.
                new { threshold = 1, to = "0001-01-02T00:00:00Z" },
                new { threshold = 1, from = "1969-12-31T00:00:00Z" },
            }
        )
            await (await Http.PostAsJsonAsync($"{category.Url}/lookbacks", wrong)).ProblemAsync(400, "invalid_request");
        await (await Http.PostAsJsonAsync($"{category.Url}/lookbacks", new { modelVersion = 9 })).ProblemAsync(
            404,
            "model_not_found"
        );
        var unfitted = await shared.NewCategoryAsync();
        await (await Http.PostAsJsonAsync($"{unfitted.Url}/lookbacks", new { threshold = 1 })).ProblemAsync(
            409,
            "model_not_ready"
        );
        await (await Http.GetAsync("/v1/lookbacks/nothing")).ProblemAsync(404, "lookback_not_found");
        await (await Http.GetAsync("/v1/lookbacks/nothing/inspections")).ProblemAsync(404, "lookback_not_found");
        await (await Http.GetAsync("/v1/categories/nobody/lookbacks")).ProblemAsync(404, "category_not_found");
    }

    [Fact]
    public void Scores_of_an_interrupted_attempt_are_known_to_the_next_one()
    {
        using var folder = new TempDirectory();
        using (var first = new KnownScores(folder.Path, 2))
        {
            first.Add(17, 0.1);
            first.Add(18, 1e-300);
            // Another worker may still hold the file.
            using var other = new KnownScores(folder.Path, 2);
            Assert.False(other.TryGet(99, out _));
        }
        File.AppendAllText(Path.Combine(folder.Path, "2.scores"), "19 3.14");
        using (var second = new KnownScores(folder.Path, 2))
        {
            Assert.True(second.TryGet(17, out var score) && score == 0.1);
            Assert.True(second.TryGet(18, out score) && score == 1e-300);
            // Cut short: perhaps it was 3.149.
            Assert.False(second.TryGet(19, out _));
            second.Add(20, 5);
        }
        using var third = new KnownScores(folder.Path, 2);
        Assert.True(third.TryGet(20, out _));
        using var otherVersion = new KnownScores(folder.Path, 3);
        Assert.False(otherVersion.TryGet(17, out _));
    }

    [Fact]
    public void The_latest_flips_are_listed_and_all_are_counted()
    {
        var tally = new LookbackTally();
        var start = new DateTime(2026, 11, 1, 23, 0, 0, DateTimeKind.Utc);
        for (var k = 0; k < LookbackTally.MaxFlips + 5; k++)
            tally.Add(
                InspectionTests.CreateRow("part", $"{k}", InspectionKey.FromTime(start.AddSeconds(k))),
                9,
                Decision.Anomalous,
                true
            );
        tally.Add(
            InspectionTests.CreateRow("part", "x", InspectionKey.FromTime(start.AddDays(2))),
            null,
            Decision.Anomalous,
            false
        );
        var figures = tally.ToFigures(5, start, start.AddDays(3));
        Assert.Equal(LookbackTally.MaxFlips + 5, figures.Flips);
        Assert.Equal(LookbackTally.MaxFlips, tally.Flips.Count);
        Assert.Equal(InspectionKey.FromTime(start.AddSeconds(5)), tally.Flips.First().Key);
        Assert.Equal([1, 2, 3], figures.Days.Select(day => day.Day.Day));
        Assert.Equal([0L, 0, 0], figures.Days.Select(day => day.Rejects));
        Assert.Equal((figures.Inspections - 1, figures.Inspections - 1), (figures.Replayed, figures.Scored));
    }

    private async Task<CategoryClient> FittedAsync()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 6);
        await category.FitAsync();
        return category;
    }

    private async Task<JsonNode> LookAsync(CategoryClient category, object request)
    {
        var job = await (await Http.PostAsJsonAsync($"{category.Url}/lookbacks", request)).JsonAsync(202);
        Assert.Equal("lookback", job.Text("kind"));
        var ended = await Http.FinishedAsync(job.Text("id"));
        Assert.True(ended.Text("state") == "succeeded", ended.ToJsonString());
        return await Http.GetJsonAsync($"/v1/lookbacks/{job.Text("id")}");
    }
}
