using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Core.Evaluation;
using PaDiM.Service.Data;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public class EvaluationTests(SharedService shared)
{
    [Fact]
    public async Task An_evaluation_counts_seen_images_by_leaving_them_out_and_scores_the_others()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 12);
        await category.FitAsync();
        await category.UploadPartsAsync(50, 3);
        await UploadBadAsync(category, [60, 61, 62], "blot", withMasks: true);
        await UploadBadAsync(category, [63], null, withMasks: false);

        var evaluation = await EvaluateAsync(category);
        Assert.Equal((category.Name, 1), (evaluation.Text("category"), evaluation["modelVersion"]!.GetValue<int>()));
        Assert.Equal((3, 12, 4, 3), Counts(evaluation));
        Assert.Equal(
            [
                "id",
                "category",
                "modelVersion",
                "createdAt",
                "images",
                "imageAuroc",
                "imageAp",
                "imageF1Max",
                "imageF1MaxThreshold",
                "pixelAuroc",
                "auPro",
                "auPro05",
                "perDefect",
                "confusionAtThreshold",
            ],
            evaluation.AsObject().Select(member => member.Key)
        );

        var images = (await shared.Http.GetJsonAsync($"/v1/evaluations/{evaluation.Text("id")}/images")).Items();
        Assert.Equal(19, images.Length);
        Assert.Equal(12, images.Count(image => image["leaveOneOut"]!.GetValue<bool>()));
        Assert.Equal(
            (await category.ScoreAsync(Parts.Good(51))).Number("score"),
            await ScoreOfAsync(category, "part-51.bmp", images),
            1e-4
        );
        Assert.Equal(
            (await category.ScoreAsync(Parts.Bad(61))).Number("score"),
            await ScoreOfAsync(category, "bad-61.bmp", images),
            1e-4
        );
        var scores = images.Select(image => (float)image.Number("score")).ToArray();
        bool[] anomalous = [.. images.Select(image => image.Text("label") == "anomalous")];
        Assert.Equal(ImageMetrics.Compute(scores, anomalous).Auroc, evaluation.Number("imageAuroc"), 1e-9);

        var confusion = evaluation["confusionAtThreshold"]!;
        var threshold = confusion.Number("threshold");
        Assert.Equal((await shared.Http.GetJsonAsync($"{category.Url}/threshold")).Number("threshold"), threshold);
        Assert.Equal(
            images.Count(image => image.Text("label") == "anomalous" && image.Number("score") >= threshold),
            confusion["truePositives"]!.GetValue<int>()
        );
        Assert.Equal(
            images.Count(image => image.Text("label") == "normal" && image.Number("score") >= threshold),
            confusion["falsePositives"]!.GetValue<int>()
        );
        Assert.All(
            images,
            image => Assert.Equal(image.Number("score") >= threshold ? "anomalous" : "normal", image.Text("decision"))
        );

        Assert.Equal(["anomalous", "blot"], evaluation.Items("perDefect").Select(defect => defect.Text("defect")));
        Assert.Equal([1, 3], evaluation.Items("perDefect").Select(defect => defect["count"]!.GetValue<int>()));
        Assert.Null(evaluation.Items("perDefect")[0]["pixelAuroc"]);
        Assert.InRange(evaluation.Number("pixelAuroc"), 0.8, 1);
        Assert.InRange(evaluation.Number("auPro"), 0.5, 1);
        Assert.Equal(
            evaluation.Text("id"),
            (await shared.Http.GetJsonAsync($"{category.Url}/evaluations")).Items().Single().Text("id")
        );
    }

    [Fact]
    public async Task Pages_of_scores_and_of_evaluations_fit_together()
    {
        var category = await EvaluatedAsync();
        var ids = new List<string>
        {
            (await EvaluateAsync(category)).Text("id"),
            (await EvaluateAsync(category)).Text("id"),
        };
        var page = await shared.Http.GetJsonAsync($"{category.Url}/evaluations?limit=1");
        Assert.Equal(ids[1], page.Items().Single().Text("id"));
        Assert.Equal(
            ids[0],
            (await shared.Http.GetJsonAsync($"{category.Url}/evaluations?limit=1&cursor={page.Text("nextCursor")}"))
                .Items()
                .Single()
                .Text("id")
        );

        var seen = new List<string>();
        var cursor = "";
        do
        {
            page = await shared.Http.GetJsonAsync($"/v1/evaluations/{ids[0]}/images?limit=3&cursor={cursor}");
            seen.AddRange(page.Items().Select(image => image.Text("imageId")));
            cursor = page["nextCursor"]?.GetValue<string>() ?? "";
        } while (cursor.Length > 0);
        Assert.Equal(
            (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items().Select(image => image.Text("id")),
            seen
        );
    }

    [Fact]
    public async Task What_cannot_be_evaluated_is_refused_at_once()
    {
        await (await shared.Http.PostAsync("/v1/categories/nobody/evaluations", null)).ProblemAsync(
            404,
            "category_not_found"
        );
        await (await shared.Http.GetAsync("/v1/evaluations/nothing")).ProblemAsync(404, "evaluation_not_found");
        await (await shared.Http.GetAsync("/v1/evaluations/nothing/images")).ProblemAsync(404, "evaluation_not_found");
        var category = await shared.NewCategoryAsync();
        await (await shared.Http.PostAsync($"{category.Url}/evaluations", null)).ProblemAsync(409, "model_not_ready");
        await category.UploadPartsAsync(0, 3);
        await category.FitAsync();
        await (await shared.Http.PostAsync($"{category.Url}/evaluations", null)).ProblemAsync(
            409,
            "no_anomalous_images"
        );
        await UploadBadAsync(category, [5], null, withMasks: false);
        await (await shared.Http.PostAsJsonAsync($"{category.Url}/evaluations", new { model = 7 })).ProblemAsync(
            404,
            "model_not_found"
        );
        await (await shared.Http.PostAsJsonAsync($"{category.Url}/evaluations", new { version = 1 })).ProblemAsync(
            400,
            "invalid_request"
        );
    }

    [Fact]
    public async Task The_same_key_gives_the_same_evaluation_and_not_a_fit()
    {
        var category = await EvaluatedAsync();
        var one = await SendAsync("evaluations");
        var two = await SendAsync("evaluations");
        Assert.Equal((await one.JsonAsync(202)).Text("id"), (await two.JsonAsync(202)).Text("id"));
        await (await SendAsync("fits")).ProblemAsync(409, "idempotency_conflict");

        Task<HttpResponseMessage> SendAsync(string what)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/{what}");
            request.Headers.Add("Idempotency-Key", "measure once");
            return shared.Http.SendAsync(request);
        }
    }

    [Fact]
    public async Task An_image_whose_bytes_are_gone_fails_the_job_by_name_and_leaves_nothing()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("holes");
        await category.CreateFittedAsync(4);
        var uploaded = await (await category.UploadAsync([("bad.bmp", Parts.Bad(9))], "?label=anomalous")).JsonAsync(
            200
        );
        var sha256 = uploaded.Items("accepted").Single().Text("sha256");
        File.Delete(
            Directory.EnumerateFiles(service.Get<DataDirectory>().Images, sha256, SearchOption.AllDirectories).Single()
        );

        var job = await service.Http.FinishedAsync(
            (await (await service.Http.PostAsync($"{category.Url}/evaluations", null)).JsonAsync(202)).Text("id")
        );
        Assert.Equal(("failed", "image_damaged"), (job.Text("state"), job["error"]!.Text("code")));
        Assert.Contains(sha256, job["error"]!.Text("detail"), StringComparison.Ordinal);
        Assert.Empty((await service.Http.GetJsonAsync($"{category.Url}/evaluations")).Items());
        await SweepTests.SweepEverythingAsync(service);
        Assert.Empty(Directory.EnumerateFileSystemEntries(service.Get<DataDirectory>().Evaluations));
    }

    [Fact]
    public async Task An_evaluation_survives_the_death_of_its_process()
    {
        using var data = new TempDirectory();
        string job;
        await using (var doomed = await ServiceProcess.StartAsync(data.Path, ("JobLeaseSeconds", 3), ("Threads", 1)))
        {
            var category = new CategoryClient(doomed.Http, "killed");
            await category.CreateFittedAsync(3, new { imageSize = 256 });
            await UploadBadAsync(category, [.. Enumerable.Range(10, 60)], "blot", withMasks: true);
            job = (await (await doomed.Http.PostAsync($"{category.Url}/evaluations", null)).JsonAsync(202)).Text("id");
            JsonNode? seen = null;
            await Eventually.TrueAsync(
                async () => (seen = await doomed.Http.GetJsonAsync($"/v1/jobs/{job}")).Number("progress") > 0.1,
                () => $"{seen?.ToJsonString()}"
            );
            Assert.Equal(("running", "scoring"), (seen!.Text("state"), seen!.Text("stage")));
            await doomed.KillAsync();
        }
        await using var next = await RunningService.StartAsync(data.Path, ("JobLeaseSeconds", 3));
        var ended = await next.Http.FinishedAsync(job);
        Assert.Equal(
            ("succeeded", "evaluation", 2),
            (ended.Text("state"), ended.Text("kind"), ended["attempts"]!.GetValue<int>())
        );
        Assert.Equal((0, 3, 60, 60), Counts(await next.Http.GetJsonAsync($"/v1/evaluations/{job}")));
        var kept = next.Get<DataDirectory>().Evaluations;
        await Eventually.TrueAsync(
            () => Task.FromResult(!Directory.EnumerateFileSystemEntries(kept).Any()),
            () => "Maps of the evaluation are still there."
        );
    }

    [Fact]
    public async Task A_preview_tells_what_would_flip_and_changes_nothing()
    {
        var category = await EvaluatedAsync();
        var before = await shared.Http.GetJsonAsync($"{category.Url}/threshold");
        var none = await PreviewAsync(category, new { threshold = (double?)null });
        Assert.Equal(
            (before.Number("threshold"), before.Number("threshold")),
            (none.Number("threshold"), none.Number("proposedThreshold"))
        );
        Assert.Null(none["evaluationId"]);
        Assert.Equal((8, 0), (Of(none, "normal", "images"), Of(none, "anomalous", "images")));

        var evaluation = await EvaluateAsync(category);
        var images = (await shared.Http.GetJsonAsync($"/v1/evaluations/{evaluation.Text("id")}/images")).Items();
        var all = await PreviewAsync(category, new { threshold = 0 });
        Assert.Equal(evaluation.Text("id"), all.Text("evaluationId"));
        var now = before.Number("threshold");
        foreach (var label in new[] { "normal", "anomalous" })
        {
            var scores = images
                .Where(image => image.Text("label") == label)
                .Select(image => image.Number("score"))
                .ToArray();
            Assert.Equal(
                (scores.Length, scores.Count(s => s >= now), scores.Length),
                (Of(all, label, "images"), Of(all, label, "anomalousNow"), Of(all, label, "anomalousThen"))
            );
            Assert.Equal(scores.Count(s => s < now), Of(all, label, "flipped"));
        }
        Assert.Equal(1, all.Number("expectedFalseRejectRate"));
        var looser = await PreviewAsync(category, new { falseRejectRate = 0.5 });
        Assert.Equal(
            looser.Number("proposedThreshold"),
            (await (await category.PatchThresholdAsync(new { falseRejectRate = 0.5 })).JsonAsync(200)).Number(
                "threshold"
            )
        );
        Assert.InRange(looser.Number("expectedFalseRejectRate"), 0.4, 0.6);
        Assert.Single((await shared.Http.GetJsonAsync($"{category.Url}/threshold")).Items("history"));

        await (
            await shared.Http.PostAsJsonAsync($"{category.Url}/threshold/preview", new { threshold = -1 })
        ).ProblemAsync(422, "invalid_settings");
        await (
            await shared.Http.PostAsJsonAsync("/v1/categories/nobody/threshold/preview", new { threshold = 1 })
        ).ProblemAsync(404, "category_not_found");
        await (
            await shared.Http.PostAsJsonAsync(
                $"{(await shared.NewCategoryAsync()).Url}/threshold/preview",
                new { threshold = 1 }
            )
        ).ProblemAsync(409, "model_not_ready");

        static int Of(JsonNode preview, string label, string member) => preview[label]![member]!.GetValue<int>();
    }

    private async Task<JsonNode> PreviewAsync(CategoryClient category, object change) =>
        await (await shared.Http.PostAsJsonAsync($"{category.Url}/threshold/preview", change)).JsonAsync(200);

    /// <summary>A category of eight good parts, fitted, and two bad ones.</summary>
    private async Task<CategoryClient> EvaluatedAsync()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 8);
        await category.FitAsync();
        await UploadBadAsync(category, [60, 61], "blot", withMasks: true);
        return category;
    }

    private async Task<JsonNode> EvaluateAsync(CategoryClient category)
    {
        var job = await shared.Http.FinishedAsync(
            (await (await shared.Http.PostAsync($"{category.Url}/evaluations", null)).JsonAsync(202)).Text("id")
        );
        Assert.True(job.Text("state") == "succeeded", job.ToJsonString());
        return await shared.Http.GetJsonAsync($"/v1/evaluations/{job.Text("id")}");
    }

    private async Task<double> ScoreOfAsync(CategoryClient category, string fileName, JsonNode[] scores)
    {
        var id = (await shared.Http.GetJsonAsync($"{category.Url}/images"))
            .Items()
            .Single(image => image.Text("fileName") == fileName)
            .Text("id");
        return scores.Single(score => score.Text("imageId") == id).Number("score");
    }

    private static (int Unseen, int LeaveOneOut, int Anomalous, int WithMask) Counts(JsonNode evaluation)
    {
        return (Count("unseen"), Count("leaveOneOut"), Count("anomalous"), Count("withMask"));

        int Count(string member) => evaluation["images"]![member]!.GetValue<int>();
    }

    private static async Task UploadBadAsync(CategoryClient category, int[] seeds, string? defect, bool withMasks) =>
        await (
            await category.UploadAsync(
                seeds.Select(seed => ($"bad-{seed}.bmp", Parts.Bad(seed))),
                $"?label=anomalous{(defect is null ? "" : $"&defect={defect}")}",
                withMasks ? seeds.Select(seed => ($"bad-{seed}.bmp", Parts.BadMask())) : null
            )
        ).JsonAsync(200);
}
