using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Core.Persistence;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What a score says about an image that is unlike the training images.</summary>
public sealed class WarningTests(SharedService shared)
{
    [Fact]
    public async Task A_good_part_has_no_warnings_and_another_picture_has_them_in_every_form()
    {
        var category = await shared.FittedAsync();
        foreach (var part in new[] { Parts.Good(1), Parts.Good(500), Parts.Bad(3) })
            Assert.Empty((await category.ScoreAsync(part)).Items("warnings"));

        var pixel = await category.ScoreAsync(Parts.Plain(1, 1));
        Assert.Contains("size_differs", Codes(pixel));
        Assert.Contains("unlike_training", Codes(pixel));
        Assert.Equal("anomalous", pixel.Text("decision"));
        Assert.Contains("1 x 1", pixel.Items("warnings")[0].Text("detail"), StringComparison.Ordinal);
        Assert.Contains("too_dark", Codes(await category.ScoreAsync(Parts.Plain(96, 96, 0))));
        Assert.Contains("low_range", Codes(await category.ScoreAsync(Parts.Plain(96, 96, 20))));
        Assert.Contains("overexposed", Codes(await category.ScoreAsync(Parts.Plain(96, 96, 255))));

        using var picture = await category.SendScoreAsync(Parts.Plain(64, 64), accept: "image/png");
        Assert.Contains(
            "size_differs",
            picture.Headers.GetValues("X-Padim-Warnings").Single(),
            StringComparison.Ordinal
        );
        using var fine = await category.SendScoreAsync(Parts.Good(1), accept: "application/x-npy");
        Assert.False(fine.Headers.Contains("X-Padim-Warnings"));

        var batch = await (
            await shared.Http.PostAsync(
                $"{category.Url}/score/batch",
                CategoryClient.Form(("files", "a.bmp", Parts.Good(1)), ("files", "b.bmp", Parts.Plain(64, 64)))
            )
        ).JsonAsync(200);
        Assert.Empty(batch.Items("results")[0]["result"]!.Items("warnings"));
        Assert.Contains("size_differs", Codes(batch.Items("results")[1]["result"]!));
    }

    [Fact]
    public async Task A_file_with_faults_that_cost_no_pixel_says_so_in_every_form()
    {
        var category = await shared.FittedAsync();
        var whole = ImageEncoder.EncodePicture(
            Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(Parts.Good(1))).Image,
            PictureFormat.Jpeg
        );
        byte[] repaired = [.. whole[..2], 0, 0, 0, .. whole[2..]];
        var expected = await category.ScoreAsync(whole);
        Assert.Empty(expected.Items("warnings"));

        var score = await category.ScoreAsync(repaired);
        Assert.Equal(expected.Number("score"), score.Number("score"));
        Assert.Equal(["file_repaired"], Codes(score));
        foreach (var accept in new[] { "image/png", "application/x-npy" })
        {
            using var answer = await category.SendScoreAsync(repaired, accept: accept);
            Assert.Equal("file_repaired", answer.Headers.GetValues("X-Padim-Warnings").Single());
        }
        var batch = await (
            await shared.Http.PostAsync(
                $"{category.Url}/score/batch",
                CategoryClient.Form(("files", "a.jpg", whole), ("files", "b.jpg", repaired))
            )
        ).JsonAsync(200);
        Assert.Empty(batch.Items("results")[0]["result"]!.Items("warnings"));
        Assert.Equal(["file_repaired"], Codes(batch.Items("results")[1]["result"]!));
    }

    [Fact]
    public async Task A_category_can_refuse_instead_of_deciding()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateFittedAsync(8);
        Assert.Empty((await shared.Http.GetJsonAsync(category.Url)).Items("refuseOn"));
        var refusing = await PutAsync(category, ["unlike_training", "size_differs"]);
        Assert.Equal(
            ["size_differs", "unlike_training"],
            refusing.Items("refuseOn").Select(code => code.GetValue<string>())
        );

        var problem = await (await category.SendScoreAsync(Parts.Plain(64, 64))).ProblemAsync(422, "input_refused");
        Assert.Contains("size_differs", problem.Text("detail"), StringComparison.Ordinal);
        // Of the right size, and found by its map only.
        problem = await (await category.SendScoreAsync(Parts.Plain(96, 96))).ProblemAsync(422, "input_refused");
        Assert.StartsWith("unlike_training", problem.Text("detail"), StringComparison.Ordinal);
        var batch = await (
            await shared.Http.PostAsync(
                $"{category.Url}/score/batch",
                CategoryClient.Form(("files", "a.bmp", Parts.Good(1)), ("files", "b.bmp", Parts.Plain(64, 64)))
            )
        ).JsonAsync(200);
        Assert.Equal("input_refused", batch.Items("results")[1]["error"]!.Text("code"));
        Assert.Equal("normal", (await category.ScoreAsync(Parts.Good(1))).Text("decision"));

        // An answer of the metrics' address is sent again for 300 ms.
        var metrics = Array.Empty<string>();
        await Eventually.TrueAsync(
            async () =>
            {
                metrics = (await shared.Http.GetStringAsync("/metrics")).Split('\n');
                return metrics.Any(line =>
                    line.StartsWith("padim_score_warnings_total")
                    && line.Contains($"\"{category.Name}\"")
                    && line.Contains("unlike_training")
                );
            },
            () => string.Join('\n', metrics)
        );
        Assert.DoesNotContain(
            metrics,
            line =>
                line.StartsWith("padim_score_decisions_total")
                && line.Contains($"\"{category.Name}\"")
                && line.Contains("anomalous")
        );

        await PutAsync(category, []);
        Assert.Contains("size_differs", Codes(await category.ScoreAsync(Parts.Plain(64, 64))));
        await (await shared.Http.PutAsJsonAsync(category.Url, new { refuseOn = new[] { "too_small" } })).ProblemAsync(
            422,
            "invalid_settings"
        );
    }

    [Fact]
    public async Task Models_of_before_know_no_profile_and_warn_of_few_grey_levels_only()
    {
        var fitted = await shared.FittedAsync();
        var model = ModelFile.Read(
            new MemoryStream(await shared.Http.GetByteArrayAsync($"{fitted.Url}/models/1/export"))
        );
        Assert.NotNull(model.Profile);
        var shown = (await shared.Http.GetJsonAsync($"{fitted.Url}/models/1"))["profile"]!;
        Assert.Equal(model.Profile.Distance.Max, shown["distance"]!.Number("max"));
        Assert.Equal(Parts.Side, shown["width"]!.Number("min"));
        var old = new MemoryStream();
        ModelFile.Write(old, model with { Profile = null });
        var category = await shared.NewCategoryAsync();
        await (
            await shared.Http.PostAsync(
                $"{category.Url}/models/import?activate=true",
                CategoryClient.Raw(old.ToArray(), "application/octet-stream")
            )
        ).JsonAsync(201);
        Assert.Null((await shared.Http.GetJsonAsync($"{category.Url}/models/1"))["profile"]);
        Assert.Empty((await category.ScoreAsync(Parts.Plain(64, 64))).Items("warnings"));
        Assert.Equal(["low_range"], Codes(await category.ScoreAsync(Parts.Plain(64, 64, 15))));
    }

    [Fact]
    public async Task Training_images_with_few_grey_levels_are_findings()
    {
        var category = await shared.NewCategoryAsync();
        await (
            await category.UploadAsync(Enumerable.Range(0, 4).Select(i => ($"{i}.bmp", Darkened(Parts.Good(i)))))
        ).JsonAsync(200);
        await category.FitAsync();
        var findings = (await shared.Http.GetJsonAsync($"{category.Url}/models/1")).Items("findings");
        Assert.Equal(4, findings.Count(finding => finding.Text("kind") == "low-range"));
    }

    private static byte[] Darkened(byte[] bitmap)
    {
        byte[] dark = [.. bitmap];
        for (var i = 54; i < dark.Length; i++)
            dark[i] /= 9;
        return dark;
    }

    private static async Task<JsonNode> PutAsync(CategoryClient category, string[] refuseOn) =>
        await (
            await category.Http.PutAsJsonAsync(
                category.Url,
                new
                {
                    imageSize = 64,
                    reduction = new { dimensions = 16 },
                    blurSigma = 2,
                    refuseOn,
                }
            )
        ).JsonAsync(200);

    private static IEnumerable<string> Codes(JsonNode score) =>
        score.Items("warnings").Select(warning => warning.Text("code"));
}
