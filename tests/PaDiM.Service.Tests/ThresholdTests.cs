using System.Net.Http.Json;
using System.Text;
using PaDiM.Service.Data;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

public class ThresholdTests(SharedService shared)
{
    [Fact]
    public async Task The_threshold_follows_rate_value_and_null_and_each_change_is_kept()
    {
        var category = await FittedAsync();
        var calibrated = await shared.Http.GetJsonAsync($"{category.Url}/threshold");
        Assert.True(calibrated["calibrated"]!.GetValue<bool>());
        Assert.Equal(0.01, calibrated.Number("falseRejectRate"));
        Assert.Equal(1 / 7.0, calibrated.Number("smallestFalseRejectRate"), 12);
        Assert.Empty(calibrated.Items("history"));
        var score = (await category.ScoreAsync(Parts.Good(1))).Number("score");

        var byHand = await (await category.PatchThresholdAsync(new { threshold = score / 2 })).JsonAsync(200);
        Assert.Equal((score / 2, false), (byHand.Number("threshold"), byHand["calibrated"]!.GetValue<bool>()));
        var scored = await category.ScoreAsync(Parts.Good(1));
        Assert.Equal(
            (score, score / 2, "anomalous"),
            (scored.Number("score"), scored.Number("threshold"), scored.Text("decision"))
        );
        Assert.NotEmpty(scored.Items("regions"));

        var back = await (await category.PatchThresholdAsync(new { threshold = (double?)null })).JsonAsync(200);
        Assert.Equal(calibrated.Number("threshold"), back.Number("threshold"));
        Assert.Equal("normal", (await category.ScoreAsync(Parts.Good(1))).Text("decision"));

        var looser = await (await category.PatchThresholdAsync(new { falseRejectRate = 0.5 })).JsonAsync(200);
        Assert.True(looser.Number("threshold") < calibrated.Number("threshold"));
        Assert.Equal(looser.Number("threshold"), (await category.ScoreAsync(Parts.Good(1))).Number("threshold"));
        Assert.Equal(0.5, (await shared.Http.GetJsonAsync(category.Url)).Number("falseRejectRate"));

        var history = (await shared.Http.GetJsonAsync($"{category.Url}/threshold")).Items("history");
        Assert.Equal([0.5, 0.01, 0.01], history.Select(change => change.Number("falseRejectRate")));
        Assert.Equal([null, null, score / 2], history.Select(change => change["threshold"]?.GetValue<double>()));
        Assert.All(
            history,
            change => Assert.Equal(("anonymous", 1), (change.Text("who"), change["modelVersion"]!.GetValue<int>()))
        );
        Assert.All(
            history,
            change =>
                Assert.InRange(
                    DateTimeOffset.Parse(change.Text("at"), System.Globalization.CultureInfo.InvariantCulture),
                    DateTimeOffset.UtcNow.AddMinutes(-5),
                    DateTimeOffset.UtcNow
                )
        );
    }

    [Fact]
    public async Task The_scores_that_a_threshold_divides_are_those_that_a_preview_counts()
    {
        var category = await FittedAsync();
        var threshold = (await shared.Http.GetJsonAsync($"{category.Url}/threshold")).Number("threshold");
        var first = await shared.Http.GetJsonAsync($"{category.Url}/threshold/scores?limit=4");
        var second = await shared.Http.GetJsonAsync(
            $"{category.Url}/threshold/scores?limit=4&cursor={first.Text("nextCursor")}"
        );
        Assert.Null((string?)second["nextCursor"]);
        var scores = first.Items("items").Concat(second.Items("items")).ToArray();
        Assert.Equal(6, scores.Length);
        Assert.Equal(scores.Length, scores.Select(score => score.Text("imageId")).Distinct().Count());
        Assert.Equal(scores.Select(s => s.Number("score")).OrderDescending(), scores.Select(s => s.Number("score")));
        Assert.All(scores, score => Assert.True(score["leaveOneOut"]!.GetValue<bool>()));
        Assert.All(scores, score => Assert.True(score["counts"]!.GetValue<bool>()));
        Assert.Equal("normal", scores[0].Text("label"));
        Assert.Equal(threshold, scores[0].Number("score"));

        var lower = scores[2].Number("score");
        var preview = await (
            await shared.Http.PostAsJsonAsync($"{category.Url}/threshold/preview", new { threshold = lower })
        ).JsonAsync(200);
        Assert.Equal(3, preview["normal"]!["anomalousThen"]!.GetValue<int>());

        var deleted = scores[0].Text("imageId");
        await shared.Http.DeleteAsync($"{category.Url}/images/{deleted}");
        var left = (await shared.Http.GetJsonAsync($"{category.Url}/threshold/scores")).Items("items");
        Assert.Null((string?)left.First()["imageId"]);

        var other = await shared.NewCategoryAsync();
        await (await shared.Http.GetAsync($"{other.Url}/threshold/scores")).ProblemAsync(409, "model_not_ready");
        // A cursor of another list: "after:x".
        await (await shared.Http.GetAsync($"{category.Url}/threshold/scores?cursor=YWZ0ZXI6eA")).ProblemAsync(
            400,
            "invalid_request"
        );
    }

    [Fact]
    public async Task A_rate_that_new_settings_bring_is_kept_as_well()
    {
        var category = await FittedAsync();
        await (
            await shared.Http.PutAsJsonAsync(
                category.Url,
                new
                {
                    imageSize = 64,
                    reduction = new { dimensions = 16 },
                    blurSigma = 2,
                    falseRejectRate = 0.4,
                }
            )
        ).JsonAsync(200);
        var threshold = await shared.Http.GetJsonAsync($"{category.Url}/threshold");
        Assert.Equal(0.4, threshold.Number("falseRejectRate"));
        var change = threshold.Items("history").Single();
        Assert.Equal((0.4, "anonymous"), (change.Number("falseRejectRate"), change.Text("who")));
        Assert.Equal(threshold.Number("threshold"), (await category.ScoreAsync(Parts.Good(1))).Number("threshold"));
    }

    [Fact]
    public async Task A_change_is_kept_with_its_reason()
    {
        var category = await shared.NewCategoryAsync();
        var longest = new string('x', 200);
        await (
            await category.PatchThresholdAsync(new { falseRejectRate = 0.2, reason = "  Scratches of lot 48 passed. " })
        ).JsonAsync(200);
        await (await category.PatchThresholdAsync(new { falseRejectRate = 0.1, reason = longest })).JsonAsync(200);
        await (await category.PatchThresholdAsync(new { falseRejectRate = 0.3, reason = (string?)null })).JsonAsync(
            200
        );
        await (await category.PatchThresholdAsync(new { falseRejectRate = 0.1, reason = longest + "x" })).ProblemAsync(
            400,
            "invalid_request"
        );
        Assert.Equal(
            [null, longest, "Scratches of lot 48 passed."],
            (await shared.Http.GetJsonAsync($"{category.Url}/threshold"))
                .Items("history")
                .Select(change => (string?)change["reason"])
        );
    }

    [Theory]
    [InlineData("""{}""", 400, "invalid_request")]
    [InlineData("""{"threshold":1,"falseRejectRate":0.1}""", 400, "invalid_request")]
    [InlineData("""{"threshold":1,"threshold":2}""", 400, "invalid_request")]
    [InlineData("""{"threshold":"13"}""", 400, "invalid_request")]
    [InlineData("""{"falseRejectRate":null}""", 400, "invalid_request")]
    [InlineData("""{"rate":0.1}""", 400, "invalid_request")]
    [InlineData("""{"reason":"too strict"}""", 400, "invalid_request")]
    [InlineData("""{"falseRejectRate":0.1,"reason":" "}""", 400, "invalid_request")]
    [InlineData("""{"falseRejectRate":0.1,"reason":7}""", 400, "invalid_request")]
    [InlineData("""{"falseRejectRate":0.1,"reason":"a","reason":"b"}""", 400, "invalid_request")]
    [InlineData("""{"falseRejectRate":0.1,"reason":"line\u000afeed"}""", 400, "invalid_request")]
    [InlineData("""[]""", 400, "invalid_request")]
    [InlineData("""null""", 400, "invalid_request")]
    [InlineData("""13""", 400, "invalid_request")]
    [InlineData("""{"threshold":""", 400, "invalid_request")]
    [InlineData("", 400, "invalid_request")]
    [InlineData("""{"threshold":-1}""", 422, "invalid_settings")]
    [InlineData("""{"threshold":1e999}""", 422, "invalid_settings")]
    [InlineData("""{"falseRejectRate":0}""", 422, "invalid_settings")]
    [InlineData("""{"falseRejectRate":1}""", 422, "invalid_settings")]
    [InlineData("""{"falseRejectRate":1e999}""", 422, "invalid_settings")]
    public async Task A_change_that_cannot_be_is_refused_and_not_kept(string body, int status, string code)
    {
        var category = await shared.FittedAsync();
        await (
            await shared.Http.PatchAsync(
                $"{category.Url}/threshold",
                new StringContent(body, Encoding.UTF8, "application/json")
            )
        ).ProblemAsync(status, code);
        Assert.Empty((await shared.Http.GetJsonAsync($"{category.Url}/threshold")).Items("history"));
    }

    [Fact]
    public async Task Before_the_first_fit_only_the_rate_can_be_set()
    {
        var category = await shared.NewCategoryAsync();
        await (await category.PatchThresholdAsync(new { threshold = 3 })).ProblemAsync(409, "model_not_ready");
        var changed = await (await category.PatchThresholdAsync(new { falseRejectRate = 0.2 })).JsonAsync(200);
        Assert.Equal(0.2, changed.Number("falseRejectRate"));
        Assert.Null(changed["threshold"]);
        await (await shared.Service.Category("nowhere").PatchThresholdAsync(new { threshold = 3 })).ProblemAsync(
            404,
            "category_not_found"
        );
        await (await shared.Http.GetAsync("/v1/categories/nowhere/threshold")).ProblemAsync(404, "category_not_found");
    }

    [Fact]
    public async Task A_review_rate_gives_a_third_decision()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateFittedAsync(
            6,
            new
            {
                imageSize = 64,
                reduction = new { dimensions = 16 },
                blurSigma = 2,
                falseRejectRate = 0.01,
                reviewRate = 0.9,
            }
        );
        var threshold = await shared.Http.GetJsonAsync($"{category.Url}/threshold");
        Assert.True(threshold.Number("reviewThreshold") < threshold.Number("threshold"));
        var unseen = (await category.ScoreAsync(Parts.Good(3000))).Number("score");
        await (await category.PatchThresholdAsync(new { threshold = unseen * 1.01 })).JsonAsync(200);
        Assert.Equal("review", (await category.ScoreAsync(Parts.Good(3000))).Text("decision"));
        Assert.Equal("anomalous", (await category.ScoreAsync(Parts.Bad(3000))).Text("decision"));
    }

    [Fact]
    public async Task A_change_reaches_every_replica()
    {
        var category = await FittedAsync();
        await using var replica = await RunningService.StartAsync(
            shared.Service.Get<DataDirectory>().Root,
            [("JobWorkers", 0), .. shared.Database]
        );
        var there = replica.Category(category.Name);
        Assert.Equal(
            (await category.ScoreAsync(Parts.Good(1))).Number("threshold"),
            (await there.ScoreAsync(Parts.Good(1))).Number("threshold")
        );

        await (await category.PatchThresholdAsync(new { threshold = 0.125 })).JsonAsync(200);
        var changed = DateTime.UtcNow;
        await Eventually.TrueAsync(
            async () => (await there.ScoreAsync(Parts.Good(1))).Number("threshold") == 0.125,
            () => "The replica never saw the change."
        );
        // One second between two looks; the rest is for a busy machine.
        Assert.InRange(DateTime.UtcNow - changed, TimeSpan.Zero, TimeSpan.FromSeconds(5));

        await category.UploadPartsAsync(50, 2);
        Assert.Equal(2, await category.FitAsync());
        await Eventually.TrueAsync(
            async () => (await there.ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>() == 2,
            () => "The replica never saw the new model."
        );
    }

    private async Task<CategoryClient> FittedAsync()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 6);
        await category.FitAsync();
        return category;
    }
}
