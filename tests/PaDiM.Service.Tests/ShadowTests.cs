using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Learning;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>A candidate scores beside the active version, until it is promoted.</summary>
public class ShadowTests(SharedService shared)
{
    private HttpClient Http => shared.Http;

    [Fact]
    public async Task A_candidate_scores_what_the_line_scores_and_decides_nothing()
    {
        var category = await NewCandidateAsync();
        var none = await Http.GetAsync($"{category.Url}/shadow");
        await none.ProblemAsync(404, "shadow_not_found");
        var empty = await PutAsync(category, 2);
        Assert.Equal((2.0, 1.0, 0.0), (empty.Number("version"), empty.Number("activeVersion"), empty.Number("scored")));
        Assert.Null(empty["correlation"]);
        Assert.Equal(2, (await Http.GetJsonAsync(category.Url)).Number("shadowVersion"));
        // The active version rejects everything, the candidate what it always would.
        await (await category.PatchThresholdAsync(new { threshold = 0 })).JsonAsync(200);

        var answers = new List<JsonNode>();
        for (var k = 0; k < 5; k++)
            answers.Add(
                await InspectAsync(category, k < 3 ? Parts.Good(70 + k) : Parts.Bad(70 + k), ("X-Part-Id", $"P{k}"))
            );
        Assert.All(answers, answer => Assert.Equal(1, answer.Number("modelVersion")));
        // A trial is no inspection, and the same inspection counts once.
        var candidate = new Dictionary<string, double>();
        for (var k = 0; k < 3; k++)
            candidate[$"P{k}"] = (await category.ScoreAsync(Parts.Good(70 + k), "?model=2")).Number("score");
        await InspectAsync(category, Parts.Good(70), ("X-Inspection-Id", answers[0].Text("inspectionId")));

        var figures = await Http.GetJsonAsync($"{category.Url}/shadow");
        Assert.Equal(
            (5.0, 0.0, 3.0),
            (figures.Number("scored"), figures.Number("missed"), figures.Number("differing"))
        );
        Assert.Equal(
            [("anomalous", "normal", 3), ("anomalous", "anomalous", 2)],
            figures
                .Items("decisions")
                .Select(d => (d.Text("decision"), d.Text("shadowDecision"), (int)d.Number("inspections")))
        );
        Assert.InRange(figures.Number("correlation"), 0.9, 1);
        var first = await Http.GetJsonAsync($"{category.Url}/shadow/differences?limit=2");
        var second = await Http.GetJsonAsync(
            $"{category.Url}/shadow/differences?limit=2&cursor={first.Text("nextCursor")}"
        );
        Assert.Null((string?)second["nextCursor"]);
        var differences = first.Items().Concat(second.Items()).ToArray();
        Assert.Equal(["P2", "P1", "P0"], differences.Select(d => d["inspection"]!.Text("part")));
        Assert.Equal(
            answers.Take(3).Reverse().Select(a => a.Text("inspectionId")),
            differences.Select(d => d.Text("inspectionId"))
        );
        // Score for score as if it decided.
        Assert.Equal(
            differences.Select(d => candidate[d["inspection"]!.Text("part")]),
            differences.Select(d => d.Number("shadowScore"))
        );
        Assert.Equal(answers[2].Number("score"), differences[0].Number("score"));

        // What is deleted is gone here too.
        await (await Http.DeleteAsync($"/v1/inspections?category={category.Name}&part=P1")).JsonAsync(200);
        figures = await Http.GetJsonAsync($"{category.Url}/shadow");
        Assert.Equal((4.0, 2.0), (figures.Number("scored"), figures.Number("differing")));
        // From its start, it counts from zero.
        Assert.Equal(0, (await PutAsync(category, 2)).Number("scored"));
        Assert.Equal(204, (int)(await Http.DeleteAsync($"{category.Url}/shadow")).StatusCode);
        await InspectAsync(category, Parts.Good(70));
        await (await Http.GetAsync($"{category.Url}/shadow")).ProblemAsync(404, "shadow_not_found");
        await (await Http.DeleteAsync($"{category.Url}/shadow")).ProblemAsync(404, "shadow_not_found");
    }

    [Fact]
    public async Task A_person_promotes_the_candidate_that_was_seen()
    {
        var category = await NewCandidateAsync();
        await PutAsync(category, 2);
        await (await Http.PostAsync($"{category.Url}/shadow/promote?version=3", null)).ProblemAsync(
            409,
            "shadow_changed"
        );
        var model = await (await Http.PostAsync($"{category.Url}/shadow/promote?version=2", null)).JsonAsync(200);
        Assert.Equal((2.0, true), (model.Number("version"), model["active"]!.GetValue<bool>()));
        Assert.Equal(2, (await category.ScoreAsync(Parts.Good(1))).Number("modelVersion"));
        await (await Http.GetAsync($"{category.Url}/shadow")).ProblemAsync(404, "shadow_not_found");
        await (await Http.PostAsync($"{category.Url}/shadow/promote", null)).ProblemAsync(404, "shadow_not_found");
        var actions = (await Http.GetJsonAsync($"/v1/audit?category={category.Name}&limit=50"))
            .Items()
            .Select(entry => entry.Text("action"));
        Assert.Equal(["shadow.promote", "shadow.promote", "shadow.promote", "shadow.put"], actions.Take(4));
    }

    [Fact]
    public async Task A_shadow_ends_with_its_version()
    {
        var category = await NewCandidateAsync();
        await PutAsync(category, 2);
        Assert.Equal(204, (int)(await Http.DeleteAsync($"{category.Url}/models/2")).StatusCode);
        Assert.Null((await Http.GetJsonAsync(category.Url))["shadowVersion"]);
        await (await Http.PutAsJsonAsync($"{category.Url}/shadow", new { version = 2 })).ProblemAsync(
            404,
            "model_not_found"
        );

        Assert.Equal(3, await category.FitAsync(new { activate = false, shadow = true }));
        Assert.Equal(3, (await Http.GetJsonAsync(category.Url)).Number("shadowVersion"));
        await (await Http.PostAsync($"{category.Url}/models/3/activate", null)).JsonAsync(200);
        Assert.Null((await Http.GetJsonAsync(category.Url))["shadowVersion"]);
        await (await Http.PutAsJsonAsync($"{category.Url}/shadow", new { version = 3 })).ProblemAsync(
            409,
            "shadow_active"
        );
        await PutAsync(category, 1);
        // A change of the settings is none of the shadow.
        await (await Http.PatchAsJsonAsync(category.Url, new { falseRejectRate = 0.1 })).JsonAsync(200);
        Assert.Equal(1, (await Http.GetJsonAsync(category.Url)).Number("shadowVersion"));
        await (await Http.PostAsJsonAsync($"{category.Url}/fits", new { shadow = true })).ProblemAsync(
            400,
            "invalid_request"
        );
        var unfitted = await shared.NewCategoryAsync();
        await (await Http.PutAsJsonAsync($"{unfitted.Url}/shadow", new { version = 1 })).ProblemAsync(
            409,
            "model_not_ready"
        );
        await (await Http.PutAsJsonAsync($"{unfitted.Url}/shadow", new { })).ProblemAsync(400, "invalid_request");

        var id = (await InspectAsync(category, Parts.Bad(1))).Text("inspectionId");
        Assert.Equal(1, (await Http.GetJsonAsync($"{category.Url}/shadow")).Number("scored"));
        Assert.Equal(204, (int)(await Http.DeleteAsync(category.Url)).StatusCode);
        await using var db = shared.Service.Get<Data.IDatabaseEngine>().CreateLedger();
        Assert.DoesNotContain(db.ShadowScores, row => row.InspectionId == id);
    }

    [Fact]
    public async Task Candidates_that_draw_the_same_key_for_a_photograph_are_both_recorded()
    {
        var ledger = shared.Service.Get<ShadowLedger>();
        var inspected = shared.NewName();
        string[] views = [shared.NewName(), shared.NewName(), shared.NewName()];
        var now = DateTime.UtcNow;
        var scores = views
            .Select(view => new Data.StoredShadowScore
            {
                Key = Data.InspectionKey.FromTime(now),
                Category = view,
                Version = 2,
                ActiveVersion = 1,
                InspectionCategory = inspected,
                InspectionId = "one",
            })
            .ToArray();
        await ledger.WriteAsync(scores, [], default);
        // An inspection that is repeated counts once.
        await ledger.WriteAsync(scores, [], default);
        foreach (var view in views)
            Assert.Equal(1, (await ledger.CountAsync(new Shadow(view, 2, 1, now), default)).Scored);
        await ledger.DeleteAsync(inspected, default);
    }

    [Fact]
    public async Task What_was_learnt_can_go_into_the_shadow_at_once()
    {
        var category = await NewCandidateAsync();
        await (await Http.PatchAsJsonAsync(category.Url, new { inspections = new { images = "all" } })).JsonAsync(200);
        var id = (await InspectAsync(category, Parts.Good(33))).Text("inspectionId");
        await (await Http.PutAsJsonAsync($"/v1/inspections/{id}/verdict", new { verdict = "good" })).JsonAsync(200);
        var learnt = await (
            await Http.PostAsJsonAsync($"{category.Url}/learn", new { ids = new[] { id }, shadow = true })
        ).JsonAsync(202);
        Assert.Equal("succeeded", (await Http.FinishedAsync(learnt["job"]!.Text("id"))).Text("state"));
        var found = await Http.GetJsonAsync(category.Url);
        Assert.Equal((1.0, 3.0), (found.Number("activeModelVersion"), found.Number("shadowVersion")));
    }

    [Fact]
    public async Task What_does_not_fit_into_the_queue_is_missed_and_counted_also_after_a_restart()
    {
        using var data = new TempDirectory();
        CategoryClient category;
        (string, object)[] options = [("ShadowQueueMegabytes", 1), .. await CreateDatabaseAsync()];
        await using (var service = await RunningService.StartAsync(data.Path, options))
        {
            category = service.Category("part");
            await category.CreateFittedAsync(4);
            await category.UploadPartsAsync(4, 2);
            await category.FitAsync(new { activate = false, shadow = true });
            var pixels = new byte[800 * 500 * 3];
            await service.InspectAsync(category, pixels, "?width=800&height=500&format=rgb24");
            await service.InspectAsync(category, Parts.Good(1));
            await SettleAsync(service);
        }
        await using var next = await RunningService.StartAsync(data.Path, options);
        category = next.Category("part");
        await next.InspectAsync(category, Parts.Good(2));
        await SettleAsync(next);
        var figures = await next.Http.GetJsonAsync($"{category.Url}/shadow");
        Assert.Equal((2.0, 1.0), (figures.Number("scored"), figures.Number("missed")));
    }

    private protected virtual Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        Task.FromResult<(string Option, object Value)[]>([]);

    internal static async Task SettleAsync(RunningService service)
    {
        await service.SettleAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(service.Get<ShadowScorer>().IsIdle),
            () => "The candidate still scores."
        );
    }

    private async Task<JsonNode> InspectAsync(CategoryClient category, byte[] image, params (string, string)[] names)
    {
        var answer = await shared.Service.InspectAsync(category, image, "", names);
        await SettleAsync(shared.Service);
        return answer;
    }

    private async Task<JsonNode> PutAsync(CategoryClient category, int version) =>
        await (await Http.PutAsJsonAsync($"{category.Url}/shadow", new { version })).JsonAsync(200);

    /// <summary>A category whose second version is not active.</summary>
    private async Task<CategoryClient> NewCandidateAsync()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 6);
        await category.FitAsync();
        await category.UploadPartsAsync(6, 2);
        Assert.Equal(2, await category.FitAsync(new { activate = false }));
        return category;
    }
}
