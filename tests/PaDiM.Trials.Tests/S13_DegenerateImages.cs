using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Sets from which no statistics can be made, and images without content: a typed error, or a finite score.
/// </summary>
public sealed class S13_DegenerateImages
{
    private static readonly object[] Settings =
    [
        CategoryClient.SmallSettings,
        new
        {
            imageSize = 64,
            reduction = new { dimensions = 16 },
            blurSigma = 2,
            alignment = "rigid",
        },
        new
        {
            imageSize = 64,
            reduction = new { method = "random", dimensions = 16 },
            blurSigma = 2,
            epsilon = 0.000001,
        },
        new
        {
            imageSize = 64,
            reduction = new { dimensions = 16 },
            blurSigma = 2,
            shrinkage = "oas",
        },
    ];

    [Fact]
    public async Task One_image_or_the_same_one_often_is_too_few()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("part");
        await category.CreateAsync();
        for (var i = 0; i < 3; i++)
            await category.UploadAsync([("a.bmp", Parts.Good(1)), ("b.bmp", Parts.Good(1))]);
        await (await service.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(409, "too_few_images");
    }

    [Fact]
    public async Task Sets_without_variance_fail_with_a_code_or_give_finite_scores()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        // The same picture in several files; plain ones of one grey, of two, of black and white.
        var sets = new Dictionary<string, byte[][]>
        {
            ["same"] = [Parts.Good(1), Parts.Encoded(1, "png"), Parts.Encoded(1, "tiff"), Parts.Encoded(1, "webp")],
            ["plain"] = [Parts.Plain(96, 96), Parts.Plain(97, 96), Parts.Plain(96, 97)],
            ["two"] = [Parts.Plain(96, 96, 127), Parts.Plain(96, 96, 128)],
            ["black-and-white"] = [Parts.Plain(96, 96, 0), Parts.Plain(96, 96, 255)],
            ["pixels"] = [Parts.Plain(1, 1, 0), Parts.Plain(1, 1, 1), Parts.Plain(1, 1, 2)],
            ["lines"] = [Parts.Plain(1, 5000, 10), Parts.Plain(5000, 1, 200), Parts.Plain(1, 1, 100)],
        };
        byte[][] probes =
        [
            Parts.Good(1),
            Parts.Bad(1),
            Parts.Plain(96, 96),
            Parts.Plain(96, 96, 0),
            Parts.Plain(96, 96, 255),
            Parts.Plain(1, 1),
            Parts.Plain(1, 4000),
            Parts.Plain(4000, 1),
        ];
        foreach (var (name, images) in sets)
            for (var i = 0; i < TrialLength.Of(1, Settings.Length); i++)
            {
                var category = service.Category($"{name}-{i}");
                await category.CreateAsync(Settings[i]);
                var stored = await (await category.UploadAsync(images.Select((bytes, k) => ($"{k}", bytes)))).JsonAsync(
                    200
                );
                if (stored.Items("accepted").Select(image => image.Text("id")).Distinct().Count() == 1)
                {
                    await (await service.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(
                        409,
                        "too_few_images"
                    );
                    continue;
                }
                var job = await service.Http.FinishedAsync(await category.StartFitAsync());
                var seen = job.Text("state");
                if (seen == "succeeded")
                    foreach (var probe in probes)
                    {
                        using var answer = await category.SendScoreAsync(probe);
                        var score = await answer.JsonAsync(200);
                        Assert.True(
                            double.IsFinite(score.Number("score"))
                                && double.IsFinite(score.Number("threshold"))
                                && score.Number("pValue") is > 0 and <= 1,
                            score.ToJsonString()
                        );
                    }
                else
                    Assert.Matches("^[a-z_]+$", seen = job["error"]!.Text("code"));
                Assert.NotEqual("internal_error", seen);
                TestContext.Current.TestOutputHelper?.WriteLine($"{name}, settings {i}: {seen}");
            }
    }

    [Fact]
    public async Task Samples_that_are_not_numbers_are_no_image()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("part");
        await category.CreateAsync();
        foreach (var name in new[] { "not-a-number.tif", "float.tif", "thirty-two-bits.tif" })
            await (await category.UploadRawAsync(ImageFixtures.Read(name), "image/tiff")).ProblemAsync(
                400,
                "image_unreadable"
            );
    }
}
