using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

public class IgnoreMaskTests(SharedService shared)
{
    [Fact]
    public async Task What_lies_behind_the_mask_counts_no_more_from_the_next_fit_on()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 12);
        await category.FitAsync();
        var unmasked = await category.ScoreAsync(Parts.Bad(50));
        Assert.Equal("anomalous", unmasked.Text("decision"));

        var mask = Parts.Square(20, 0, 64);
        var set = await (await PutAsync(category, mask)).JsonAsync(200);
        Assert.Equal(
            mask,
            await (await shared.Http.GetAsync($"{category.Url}/ignore-mask")).Content.ReadAsByteArrayAsync()
        );
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(mask)),
            set.Text("ignoreMaskSha256")
        );
        Assert.Equal(unmasked.Number("score"), (await category.ScoreAsync(Parts.Bad(50))).Number("score"));

        await category.FitAsync();
        var masked = await category.ScoreAsync(Parts.Bad(50));
        Assert.True(
            masked.Number("score") < unmasked.Number("score") / 2,
            $"{masked.Number("score")} beside {unmasked.Number("score")}"
        );
        Assert.Equal(0, await ValueInTheMiddleOfTheDefectAsync(category));
        // With any threshold, so that the mask would be white here if the pixels counted.
        await (await category.PatchThresholdAsync(new { threshold = 0.01 })).JsonAsync(200);
        var drawn = await category.ScoreAsync(Parts.Bad(50), "?heatmap=mask");
        Assert.Equal(100, drawn.Number("defectAreaPercent"));
        using (var picture = NetVips.Image.NewFromBuffer(Convert.FromBase64String(drawn.Text("heatmap"))))
        using (var ignored = picture.ExtractArea(21, 1, 62, 62))
            Assert.Equal((0, 255), (ignored.Max(), picture.Max()));
        Assert.Equal(
            64.0 * 64 / (Parts.Side * Parts.Side),
            (await shared.Http.GetJsonAsync($"{category.Url}/models/2")).Number("ignoredShare"),
            0.01
        );

        Assert.Equal(204, (int)(await shared.Http.DeleteAsync($"{category.Url}/ignore-mask")).StatusCode);
        await (await shared.Http.GetAsync($"{category.Url}/ignore-mask")).ProblemAsync(404, "ignore_mask_not_found");
        await category.FitAsync();
        Assert.Equal(unmasked.Number("score"), (await category.ScoreAsync(Parts.Bad(50))).Number("score"), 1e-3);
    }

    [Fact]
    public async Task Masks_that_cannot_be_used_are_refused_and_change_nothing()
    {
        var category = await shared.NewCategoryAsync();
        await (await PutAsync(category, Parts.Plain(10, 10, 255))).ProblemAsync(422, "ignore_mask_unusable");
        await (await PutAsync(category, [1, 2, 3])).ProblemAsync(422, "image_unreadable");
        await (await PutAsync(category, [])).ProblemAsync(400, "empty_body");
        await (await shared.Http.PutAsync($"{category.Url}/ignore-mask", new StringContent("mask"))).ProblemAsync(
            415,
            "unsupported_media_type"
        );
        await (
            await shared.Http.PutAsync(
                "/v1/categories/nobody/ignore-mask",
                CategoryClient.Raw(Parts.BadMask(), "image/bmp")
            )
        ).ProblemAsync(404, "category_not_found");
        await (await shared.Http.DeleteAsync("/v1/categories/nobody/ignore-mask")).ProblemAsync(
            404,
            "category_not_found"
        );
        Assert.Null((await shared.Http.GetJsonAsync(category.Url))["ignoreMaskSha256"]);
    }

    [Fact]
    public async Task The_sweeper_leaves_the_mask_alone()
    {
        using var data = new PaDiM.TestSupport.TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("masked");
        await category.CreateAsync();
        await (
            await service.Http.PutAsync($"{category.Url}/ignore-mask", CategoryClient.Raw(Parts.BadMask(), "image/bmp"))
        ).JsonAsync(200);
        await SweepTests.SweepEverythingAsync(service);
        Assert.Equal(
            Parts.BadMask(),
            await (await service.Http.GetAsync($"{category.Url}/ignore-mask")).Content.ReadAsByteArrayAsync()
        );
    }

    /// <summary>
    /// Of the float map: the prepared image has 64 pixels a side, the map's values are the end of the file.
    /// </summary>
    private static async Task<float> ValueInTheMiddleOfTheDefectAsync(CategoryClient category)
    {
        const int side = 64,
            x = 52 * side / Parts.Side,
            y = 24 * side / Parts.Side;
        var npy = await (
            await category.SendScoreAsync(Parts.Bad(50), accept: "application/x-npy")
        ).Content.ReadAsByteArrayAsync();
        return BitConverter.ToSingle(npy, npy.Length - sizeof(float) * side * side + sizeof(float) * (y * side + x));
    }

    private Task<HttpResponseMessage> PutAsync(CategoryClient category, byte[] mask) =>
        shared.Http.PutAsync($"{category.Url}/ignore-mask", CategoryClient.Raw(mask, "image/bmp"));
}
