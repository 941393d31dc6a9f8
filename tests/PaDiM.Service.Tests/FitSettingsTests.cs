using System.Net.Http.Json;
using NetVips;
using PaDiM.Core.Persistence;
using PaDiM.Service.Data;
using PaDiM.Service.Models;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>
/// Settings that change what a fit computes, and what a model tells of its training set and of itself.
/// </summary>
public sealed class FitSettingsTests(SharedService shared)
{
    [Theory]
    [InlineData("none")]
    [InlineData("ledoit-wolf")]
    [InlineData("oas")]
    public async Task Every_shrinkage_fits_two_images_and_more(string shrinkage)
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateAsync(
            new
            {
                imageSize = 64,
                reduction = new { dimensions = 16 },
                blurSigma = 2,
                shrinkage,
            }
        );
        Assert.Equal(shrinkage, (await shared.Http.GetJsonAsync(category.Url)).Text("shrinkage"));
        await category.UploadPartsAsync(0, 2);
        await category.FitAsync();
        Assert.True(double.IsFinite((await category.ScoreAsync(Parts.Bad(9))).Number("score")));
        await category.UploadPartsAsync(2, 20);
        await category.FitAsync();
        Assert.Equal("anomalous", (await category.ScoreAsync(Parts.Bad(50))).Text("decision"));
        Assert.Equal("normal", (await category.ScoreAsync(Parts.Good(5))).Text("decision"));
    }

    [Fact]
    public async Task Few_images_choose_shrinkage_and_many_do_not_and_each_model_says_so()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateAsync(
            new
            {
                imageSize = 64,
                reduction = new { dimensions = 16 },
                relativeRidge = 0.5,
                quietExponent = 1.5,
                shrinkage = "auto",
            }
        );
        await category.UploadPartsAsync(0, 15);
        await category.FitAsync();
        Assert.Equal("oas", await StatedAsync(1));
        await category.UploadPartsAsync(15, 16);
        await category.FitAsync();
        Assert.Equal("none", await StatedAsync(2));
        Assert.Equal("auto", (await shared.Http.GetJsonAsync(category.Url)).Text("shrinkage"));
        Assert.Equal("anomalous", (await category.ScoreAsync(Parts.Bad(50))).Text("decision"));
        Assert.Equal("normal", (await category.ScoreAsync(Parts.Good(5))).Text("decision"));

        async Task<string> StatedAsync(int version) =>
            (await shared.Http.GetJsonAsync($"{category.Url}/models/{version}")).Text("shrinkage");
    }

    [Fact]
    public async Task A_model_whose_positions_share_a_Gaussian_needs_few_images_and_few_bytes()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateAsync(
            new
            {
                imageSize = 64,
                reduction = new { dimensions = 16 },
                positions = "shared",
            }
        );
        await category.UploadPartsAsync(0, 8);
        await category.FitAsync();
        Assert.Equal("shared", (await shared.Http.GetJsonAsync(category.Url)).Text("positions"));
        var first = await shared.Http.GetJsonAsync($"{category.Url}/models/1");
        Assert.Equal(("shared", false), (first.Text("positions"), first["rankDeficient"]!.GetValue<bool>()));
        Assert.Equal("anomalous", (await category.ScoreAsync(Parts.Bad(50))).Text("decision"));
        // An incremental fit, then one with Gaussians of their own, which does not go on from the shared one.
        await category.UploadPartsAsync(8, 2);
        await category.FitAsync();
        Assert.Equal(10, (await shared.Http.GetJsonAsync($"{category.Url}/models/2"))["imageCount"]!.GetValue<int>());
        await (await shared.Http.PatchAsJsonAsync(category.Url, new { positions = "own" })).JsonAsync(200);
        await category.FitAsync();
        var own = await shared.Http.GetJsonAsync($"{category.Url}/models/3");
        Assert.Equal("own", own.Text("positions"));
        Assert.True(own["statisticsBytes"]!.GetValue<long>() > first["statisticsBytes"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_model_with_a_local_average_scores_by_its_highest_pixels_and_marks_anomalous_parts_only()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateAsync(
            new
            {
                imageSize = 64,
                reduction = new { dimensions = 16 },
                blurSigma = 2,
                localAverage = true,
                imageScore = "top",
            }
        );
        await category.UploadPartsAsync(0, 20);
        await category.FitAsync();
        var good = await category.ScoreAsync(Parts.Good(60));
        var score = good.Number("score");
        // A threshold just above the mean of the highest pixels, which some of them reach.
        await (
            await shared.Http.PatchAsJsonAsync($"{category.Url}/threshold", new { threshold = score * 1.0001 })
        ).JsonAsync(200);
        good = await category.ScoreAsync(Parts.Good(60));
        Assert.Equal(
            (score, "normal", 0.0),
            (good.Number("score"), good.Text("decision"), good.Number("defectAreaPercent"))
        );
        Assert.Empty(good.Items("regions"));
        await (
            await shared.Http.PatchAsJsonAsync($"{category.Url}/threshold", new { threshold = score * 0.9999 })
        ).JsonAsync(200);
        good = await category.ScoreAsync(Parts.Good(60));
        Assert.Equal((score, "anomalous"), (good.Number("score"), good.Text("decision")));
        Assert.NotEmpty(good.Items("regions"));
        Assert.True(good.Items("regions")[0].Number("peakScore") > score * 1.0001);
    }

    [Fact]
    public async Task Alignment_brings_parts_that_shift_to_one_place()
    {
        var scores = new Dictionary<string, double>();
        foreach (var alignment in new[] { "none", "rigid" })
        {
            var category = shared.Service.Category(shared.NewName());
            await category.CreateAsync(
                new
                {
                    imageSize = 96,
                    reduction = new { dimensions = 16 },
                    blurSigma = 2,
                    alignment,
                }
            );
            await (
                await category.UploadAsync(Enumerable.Range(0, 20).Select(seed => ($"{seed}.png", Shifted(seed))))
            ).JsonAsync(200);
            await category.FitAsync();
            var good = await category.ScoreAsync(Shifted(40));
            var bad = await category.ScoreAsync(Shifted(41, defective: true));
            scores[alignment] = bad.Number("score") / good.Number("score");
        }
        Assert.True(
            scores["rigid"] > 1.5 * scores["none"],
            $"A defect stands out {scores["none"]:f2} times without alignment, {scores["rigid"]:f2} times with it."
        );
        await (
            await shared.Http.PutAsJsonAsync(
                $"/v1/categories/{shared.NewName()}",
                new { alignment = "rigid", cropSize = 224 }
            )
        ).ProblemAsync(422, "invalid_settings");
    }

    [Fact]
    public async Task A_model_lists_near_duplicates_and_blurred_images_of_its_training_set()
    {
        var category = await shared.NewCategoryAsync();
        var ids = await category.UploadPartsAsync(0, 30);
        var extra = await (
            await category.UploadAsync([("again.jpg", Parts.Encoded(7, "jpeg")), ("blurred.png", Blurred(90))])
        ).JsonAsync(200);
        await category.FitAsync();
        var findings = (await shared.Http.GetJsonAsync($"{category.Url}/models/1")).Items("findings");
        var again = extra.Items("accepted")[0].Text("id");
        var blurred = extra.Items("accepted")[1].Text("id");
        var duplicate = findings.Single(finding => finding.Text("kind") == "near-duplicate");
        Assert.Equal(
            new[] { again, ids[7] }.Order(),
            new[] { duplicate.Text("imageId"), duplicate.Text("ofImageId") }.Order()
        );
        Assert.Equal(blurred, findings.Single(finding => finding.Text("kind") == "blurred").Text("imageId"));
    }

    [Fact]
    public async Task A_model_that_scores_otherwise_here_is_not_ready_and_says_why()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("golden");
        await category.CreateFittedAsync(6);
        var model = ModelFile.Read(
            new MemoryStream(await service.Http.GetByteArrayAsync($"{category.Url}/models/1/export"))
        );
        Assert.Equal(3, model.GoldenImages.Count);
        var stranger = new MemoryStream();
        ModelFile.Write(
            stranger,
            model with
            {
                GoldenImages = [.. model.GoldenImages.Select(golden => golden with { Score = golden.Score * 1.1f })],
            }
        );

        var problem = await (
            await service.Http.PostAsync(
                $"{category.Url}/models/import",
                CategoryClient.Raw(stranger.ToArray(), "application/octet-stream")
            )
        ).ProblemAsync(422, "model_invalid");
        Assert.Contains("golden image 1 of 3", problem.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(1, (await category.ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>());

        // The same file as another machine may have published it into a shared data directory.
        var published = await service
            .Get<ModelStore>()
            .PublishAsync(
                "golden",
                $"stranger{ModelFiles.ModelSuffix}",
                ModelFile.Read(new MemoryStream(stranger.ToArray())),
                activate: false,
                shadow: false,
                lease: null,
                default
            );
        await (await category.SendScoreAsync(Parts.Good(1), $"?model={published!.Version}")).ProblemAsync(
            503,
            "model_self_test_failed"
        );
        await (await service.Http.PostAsync($"{category.Url}/models/{published.Version}/activate", null)).ProblemAsync(
            503,
            "model_self_test_failed"
        );
        Assert.Equal(1, (await category.ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>());
        Assert.True(File.Exists(Path.Combine(service.Get<DataDirectory>().Models, "golden", published.FileName)));

        // Another replica, where it agrees, may activate it: here nothing scores in its place.
        Assert.Null(await service.Get<ModelStore>().ActivateAsync("golden", published.Version, default));
        await Eventually.TrueAsync(
            async () => (int)(await category.SendScoreAsync(Parts.Good(1))).StatusCode == 503,
            () => "The version before goes on scoring."
        );
        await (await category.SendScoreAsync(Parts.Good(1))).ProblemAsync(503, "model_self_test_failed");
        await (await service.Http.PostAsync($"{category.Url}/models/1/activate", null)).JsonAsync(200);
        Assert.Equal(1, (await category.ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>());
    }

    /// <summary>A part with a notch, so that its angle can be seen, some pixels off its place.</summary>
    private static byte[] Shifted(int seed, bool defective = false)
    {
        using var part = Image.NewFromBuffer(defective ? Parts.Notched(seed, true) : Parts.Notched(seed, false));
        var random = new Random(seed);
        using var moved = part.Embed(
            random.Next(17),
            random.Next(17),
            Parts.Side + 16,
            Parts.Side + 16,
            extend: Enums.Extend.Copy
        );
        using var cut = moved.Crop(8, 8, Parts.Side, Parts.Side);
        return cut.PngsaveBuffer();
    }

    private static byte[] Blurred(int seed)
    {
        using var part = Image.NewFromBuffer(Parts.Encoded(seed, "png"));
        using var blurred = part.Gaussblur(2);
        return blurred.PngsaveBuffer();
    }
}
