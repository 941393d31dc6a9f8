using System.Text.Json.Nodes;
using PaDiM.Core.Calibration;
using PaDiM.Service.Data;
using PaDiM.Service.Inspections;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>False rejects, escapes and thresholds from verdicts over made-up rows.</summary>
public class VerdictFigureTests(SharedService shared)
{
    private static readonly DateTime Start = new(2026, 10, 24, 4, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task Each_decision_stands_for_itself_alone()
    {
        var category = await shared.NewCategoryAsync();
        var rows = new List<Row>();
        // Of 400 normal parts 100 are reviewed, of 40 rejects all.
        rows.AddRange(
            Enumerable
                .Range(0, 400)
                .Select(k => new Row(
                    Decision.Normal,
                    1,
                    k < 98 ? Verdict.Good
                        : k < 100 ? Verdict.Defective
                        : null
                ))
        );
        rows.AddRange(
            Enumerable
                .Range(0, 40)
                .Select(k => new Row(Decision.Anomalous, 9, k < 10 ? Verdict.Good : Verdict.Defective))
        );
        await FillAsync(category.Name, rows);

        var figures = await GetFiguresAsync(category.Name);
        Assert.Equal(0.01, figures.Number("promisedFalseRejectRate"));
        var decisions = figures.Items("decisions");
        Assert.Equal(["normal", "review", "anomalous"], decisions.Select(d => d.Text("decision")));
        Assert.Equal([400, 0, 40], decisions.Select(d => (int)d.Number("inspections")));
        Assert.Equal([98, 0, 10], decisions.Select(d => (int)d.Number("good")));
        Assert.Equal([2, 0, 30], decisions.Select(d => (int)d.Number("defective")));
        Assert.Equal(0.25, decisions[0].Number("reviewedShare"));
        Assert.Null(decisions[1]["goodShare"]);

        // 10 good rejects, and 98 % of 400 normal parts.
        var rate = figures["falseRejects"]!["rate"]!;
        Assert.Equal(10.0 / (10 + 392), rate.Number("estimate"), 9);
        Assert.InRange(rate.Number("low"), 0.001, 0.02);
        Assert.InRange(rate.Number("high"), 0.03, 0.08);
        Assert.Empty(figures["falseRejects"]!.Items("assumesGood"));
        var escapes = figures["escapes"]!;
        Equal(BinomialInterval.Create(2, 100), escapes["rate"]!);
        // Two of a hundred are eight of four hundred, beside 30 that were caught.
        Assert.Equal(8.0 / 38, escapes["missed"]!.Number("estimate"), 9);
        Assert.InRange(8.0 / 38, escapes["missed"]!.Number("low"), escapes["missed"]!.Number("high"));
    }

    [Fact]
    public async Task What_was_not_looked_at_stays_unknown()
    {
        var category = await shared.NewCategoryAsync();
        var empty = await GetFiguresAsync(category.Name);
        Assert.Null(empty["falseRejects"]!["rate"]);
        Assert.Null(empty["escapes"]!["rate"]);

        var rows = Enumerable.Range(0, 99).Select(_ => new Row(Decision.Normal, 1, null)).ToList();
        rows.Add(new Row(Decision.Anomalous, 9, Verdict.Unsure));
        await FillAsync(category.Name, rows);
        var unreviewed = await GetFiguresAsync(category.Name);
        Assert.Null(unreviewed["falseRejects"]!["rate"]);

        await FillAsync(category.Name, [new Row(Decision.Anomalous, 9, Verdict.Good)], Start.AddDays(1));
        var reviewed = await GetFiguresAsync(category.Name);
        Assert.Equal(2 / 101.0, reviewed["falseRejects"]!["rate"]!.Number("estimate"), 9);
        Assert.Equal(["normal"], reviewed["falseRejects"]!.Items("assumesGood").Select(d => d.GetValue<string>()));
        Assert.Null(reviewed["escapes"]!["rate"]);
        Assert.Null(reviewed["escapes"]!["missed"]);

        // None of the rejects in this time: an upper end is left.
        var none = await GetFiguresAsync(category.Name, "2026-10-24T04:00:00Z", "2026-10-24T05:00:00Z");
        Assert.Equal(0, none["falseRejects"]!["rate"]!.Number("estimate"));
        Assert.InRange(none["falseRejects"]!["rate"]!.Number("high"), 0.02, 0.2);
        foreach (
            var wrong in new[]
            {
                "",
                "category=A",
                $"category={category.Name}&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
            }
        )
            Assert.Equal(400, (int)(await shared.Http.GetAsync($"/v1/inspections/verdicts?{wrong}")).StatusCode);
        await (await shared.Http.GetAsync("/v1/inspections/verdicts?category=nobody")).ProblemAsync(
            404,
            "category_not_found"
        );
    }

    [Fact]
    public async Task A_threshold_by_hand_promises_nothing()
    {
        var category = await FittedAsync();
        await (await category.PatchThresholdAsync(new { threshold = 5 })).JsonAsync(200);
        Assert.Null((await GetFiguresAsync(category.Name))["promisedFalseRejectRate"]);
    }

    [Fact]
    public async Task A_proposal_counts_what_each_threshold_would_do()
    {
        var category = await FittedAsync();
        var scores = (await shared.Http.GetJsonAsync($"{category.Url}/threshold/scores")).Items("items");
        var highest = scores[0].Number("score");
        var nothing = await ProposeAsync(category);
        Assert.Null(nothing["proposedThreshold"]);
        Assert.Equal(["in-force calibrated", "rejects-none"], nothing.Items("candidates").Select(Reasons));
        Assert.Null(nothing.Items("candidates")[0]["defects"]!["missedRate"]);

        var rows = Enumerable
            .Range(0, 14)
            .Select(k => new Row(Decision.Anomalous, 3 * highest + k, Verdict.Defective))
            .ToList();
        rows.Add(new Row(Decision.Anomalous, 1.5 * highest, Verdict.Good));
        // Of another version, of another category, without a verdict, not sure, and a photograph that the model knows.
        rows.Add(new Row(Decision.Anomalous, 1, Verdict.Defective, Version: 2));
        rows.Add(new Row(Decision.Anomalous, 1, Verdict.Defective, DecidedBy: "other"));
        rows.Add(new Row(Decision.Anomalous, 1, null));
        rows.Add(new Row(Decision.Anomalous, 1, Verdict.Unsure));
        var known = (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items()[0].Text("sha256");
        rows.Add(new Row(Decision.Anomalous, 100 * highest, Verdict.Good, Sha256: known));
        await FillAsync(category.Name, rows);

        var proposal = await ProposeAsync(
            category,
            $"?threshold={FormattableString.Invariant($"{3 * highest + 0.5:r}")}"
        );
        Assert.Equal(1, proposal.Number("modelVersion"));
        Assert.Equal(2.25 * highest, proposal.Number("proposedThreshold"), 9);
        var candidates = proposal.Items("candidates");
        Assert.Equal(
            [
                "in-force calibrated",
                "rejects-none",
                "middle-of-gap",
                "misses-none",
                "requested",
                "misses-few",
                "misses-few",
                "misses-few",
            ],
            candidates.Select(Reasons)
        );
        Assert.Equal(
            candidates.Select(c => c.Number("threshold")).Order(),
            candidates.Select(c => c.Number("threshold"))
        );
        Assert.Equal([0, 0, 0, 0, 1, 1, 2, 3], candidates.Select(c => (int)c["defects"]!.Number("missed")));
        Assert.All(candidates, c => Assert.Equal(14, c["defects"]!.Number("known")));
        Assert.All(candidates, c => Assert.Equal(scores.Length, c["goodParts"]!.Number("known")));
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0], candidates.Select(c => (int)c["goodParts"]!.Number("rejected")));
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0], candidates.Select(c => (int)c["reviewedGoodParts"]!.Number("rejected")));
        Equal(BinomialInterval.Create(0, 14), candidates[2]["defects"]!["missedRate"]!);
        Equal(BinomialInterval.Create(0, scores.Length), candidates[2]["goodParts"]!["rejectedRate"]!);
        Assert.Equal(
            proposal.ToJsonString(),
            (
                await ProposeAsync(category, $"?threshold={FormattableString.Invariant($"{3 * highest + 0.5:r}")}")
            ).ToJsonString()
        );

        // A defect among the good parts leaves no gap.
        await FillAsync(category.Name, [new Row(Decision.Normal, highest / 2, Verdict.Defective)], Start.AddDays(1));
        proposal = await ProposeAsync(category);
        Assert.Equal(highest / 2, proposal.Number("proposedThreshold"));
        Assert.DoesNotContain("middle-of-gap", proposal.Items("candidates").Select(Reasons));
        foreach (var wrong in new[] { "NaN", "-1", "x", "31,2" })
            await (await shared.Http.GetAsync($"{category.Url}/threshold/proposal?threshold={wrong}")).ProblemAsync(
                400,
                "invalid_request"
            );
        var unfitted = await shared.NewCategoryAsync();
        await (await shared.Http.GetAsync($"{unfitted.Url}/threshold/proposal")).ProblemAsync(409, "model_not_ready");
    }

    private static string Reasons(JsonNode candidate) =>
        string.Join(' ', candidate.Items("reasons").Select(reason => reason.GetValue<string>()));

    private static void Equal(BinomialInterval expected, JsonNode actual)
    {
        Assert.Equal(expected.Estimate, actual.Number("estimate"), 12);
        Assert.Equal(expected.Low, actual.Number("low"), 12);
        Assert.Equal(expected.High, actual.Number("high"), 12);
    }

    private Task<JsonNode> GetFiguresAsync(
        string category,
        string from = "2026-10-24T00:00:00Z",
        string to = "2026-10-30T00:00:00Z"
    ) => shared.Http.GetJsonAsync($"/v1/inspections/verdicts?category={category}&from={from}&to={to}");

    private Task<JsonNode> ProposeAsync(CategoryClient category, string query = "") =>
        shared.Http.GetJsonAsync($"{category.Url}/threshold/proposal{query}");

    private async Task<CategoryClient> FittedAsync()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 6);
        await category.FitAsync();
        return category;
    }

    /// <summary>Inserts rows, a minute apart.</summary>
    private async Task FillAsync(string category, IReadOnlyList<Row> rows, DateTime? start = null)
    {
        var first = start ?? Start;
        await using var db = shared.Service.Get<IDatabaseEngine>().CreateLedger();
        var stored = rows.Select(
                (row, k) =>
                    InspectionTests.CreateRow(
                        category,
                        $"{category}-{first:dd}-{k}",
                        InspectionKey.FromTime(first.AddMinutes(k))
                    ) with
                    {
                        Decision = row.Decision,
                        Score = row.Score,
                        ModelVersion = row.Version,
                        DecidedBy = row.DecidedBy,
                        Sha256 = row.Sha256 ?? $"{first:dd}{k}",
                    }
            )
            .ToList();
        // Rows of other tests may have the same time, and therefore a key.
        var inserted = (await LedgerRows.InsertAsync(db, stored, default)).ToDictionary(row => row.Id, row => row.Key);
        Assert.Equal(rows.Count, inserted.Count);
        var store = shared.Service.Get<InspectionStore>();
        foreach (var (row, said) in stored.Zip(rows))
            if (said.Verdict is { } verdict)
                await store.SetVerdictAsync(inserted[row.Id], verdict, null, "anna", Start, default);
    }

    private sealed record Row(
        Decision Decision,
        double Score,
        Verdict? Verdict,
        int Version = 1,
        string? DecidedBy = null,
        string? Sha256 = null
    );
}
