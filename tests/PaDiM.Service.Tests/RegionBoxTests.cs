using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Regions of interest that see a box of the photograph.</summary>
public sealed class RegionBoxTests(SharedService shared)
{
    [Fact]
    public async Task A_defect_counts_in_the_region_that_it_lies_in_and_nowhere_else()
    {
        var plate = await CreateAsync(Enumerable.Range(0, 10).Select(seed => Plates.Draw(seed)));
        var hole = await CreateRegionAsync(plate, Plates.Hole, "none", imageSize: 64);
        var slot = await CreateRegionAsync(plate, Plates.Slot, "none", imageSize: 96);

        var bad = await plate.ScoreAsync(Plates.Draw(100, defective: true), "?contours=true");
        Assert.Equal((hole.Name, "anomalous"), (bad.Text("category"), bad.Text("decision")));
        var results = bad.Items("regionsOfInterest");
        Assert.Equal("{\"x\":35,\"y\":35,\"width\":60,\"height\":60}", results[0]["box"]!.ToJsonString());
        Assert.Equal("[[145,80],[205,80],[205,120],[145,120]]", results[1]["corners"]!.ToJsonString());
        Assert.NotEqual(results[0].Number("threshold"), results[1].Number("threshold"));
        var found = results[0].Items("regions")[0];
        AssertAround(found, Plates.FindSpot());
        AssertInside(found, 35, 35, 95, 95);
        Assert.All(
            found["contour"]!.AsArray().Select(corner => corner![0]!.GetValue<double>()),
            x => Assert.InRange(x, 35, 95)
        );
        Assert.Empty(results[1].Items("regions"));

        // The same photograph without the defect: the other region has the same score to the last bit.
        var good = await plate.ScoreAsync(Plates.Draw(100));
        Assert.Equal("normal", good.Text("decision"));
        Assert.Equal(good.Items("regionsOfInterest")[1].Number("score"), results[1].Number("score"));
        Assert.Equal((240, 160), (good["image"]!["width"]!.GetValue<int>(), good["image"]!["height"]!.GetValue<int>()));

        // Alone, the region says where it looked too.
        var alone = await hole.ScoreAsync(Plates.Draw(100, defective: true));
        Assert.Equal(35, alone.Items("regionsOfInterest").Single()["box"]!["x"]!.GetValue<int>());
        using var mask = NetVips.Image.NewFromBuffer(
            await (
                await plate.SendScoreAsync(Plates.Draw(100, defective: true), "?heatmap=mask", accept: "image/png")
            ).Content.ReadAsByteArrayAsync()
        );
        Assert.Equal((240, 160), (mask.Width, mask.Height));
        Assert.Equal(255, mask.Getpoint(80, 85)[0]);
        Assert.Equal(0, mask.Crop(96, 0, 144, 160).Max());
        await (await plate.SendScoreAsync(Plates.Draw(100), accept: "image/png")).Content.ReadAsByteArrayAsync();
        var exported = await shared.Http.GetAsync($"{hole.Url}/models/1/export?format=onnx");
        Assert.Equal(200, (int)exported.StatusCode);
    }

    [Fact]
    public async Task A_region_follows_a_part_that_moves_and_turns()
    {
        var plate = await CreateAsync(
            Enumerable
                .Range(0, 16)
                .Select(seed => Plates.Draw(seed, 4 * Math.Sin(seed), 5 * Math.Sin(3 * seed), 5 * Math.Cos(2 * seed)))
        );
        var hole = await CreateRegionAsync(plate, Plates.Hole, "rigid", imageSize: 64);
        var slot = await CreateRegionAsync(plate, Plates.Slot, "rigid", imageSize: 64);
        const double degrees = 8,
            right = 24,
            down = -10;

        var good = await plate.ScoreAsync(Plates.Draw(200, degrees, right, down));
        var bad = await plate.ScoreAsync(Plates.Draw(200, degrees, right, down, defective: true));
        Assert.True(good.Text("decision") == "normal", good.ToJsonString());
        Assert.Equal((hole.Name, "anomalous"), (bad.Text("category"), bad.Text("decision")));
        AssertAround(bad.Items("regions")[0], Plates.FindSpot(degrees, right, down));
        Assert.Equal("normal", bad.Items("regionsOfInterest")[1].Text("decision"));
        Assert.Equal(slot.Name, bad.Items("regionsOfInterest")[1].Text("category"));
        // The corners of the box turn with the part.
        var corners = bad.Items("regionsOfInterest")[0]["corners"]!.AsArray();
        var (x, y) = (
            corners[1]![0]!.GetValue<double>() - corners[0]![0]!.GetValue<double>(),
            corners[1]![1]!.GetValue<double>() - corners[0]![1]!.GetValue<double>()
        );
        Assert.InRange(Math.Atan2(y, x) * 180 / Math.PI, degrees - 2.5, degrees + 2.5);
        // Alone and with the others, a region finds the part at the same place.
        var alone = await hole.ScoreAsync(Plates.Draw(200, degrees, right, down, defective: true));
        Assert.Equal(alone.Items("regionsOfInterest").Single()["corners"]!.ToJsonString(), corners.ToJsonString());

        var still = await CreateAsync(Enumerable.Range(0, 10).Select(seed => Plates.Draw(seed)));
        await CreateRegionAsync(still, Plates.Hole, "none", imageSize: 64);
        Assert.Equal("anomalous", (await still.ScoreAsync(Plates.Draw(200, degrees, right, down))).Text("decision"));
    }

    [Theory]
    [InlineData("""{"x":-0.1,"y":0,"width":0.5,"height":0.5}""", 422)]
    [InlineData("""{"x":0.6,"y":0,"width":0.5,"height":0.5}""", 422)]
    [InlineData("""{"x":0,"y":0,"width":0,"height":0.5}""", 422)]
    [InlineData("""{"x":0,"y":0,"width":1e-9,"height":0.5}""", 422)]
    [InlineData("""{"x":0,"y":0,"width":1e300,"height":0.5}""", 422)]
    [InlineData("""{"x":0,"y":0,"width":0.5}""", 422)]
    [InlineData("{}", 422)]
    [InlineData("""{"x":"NaN","y":0,"width":0.5,"height":0.5}""", 422)]
    [InlineData("""{"x":1e999,"y":0,"width":0.5,"height":0.5}""", 422)]
    [InlineData("[0,0,1,1]", 400)]
    public async Task A_box_that_is_none_is_refused(string box, int status)
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var refused = await shared.Http.PutAsync(
            url,
            new StringContent($$"""{"region":{{box}}}""", System.Text.Encoding.UTF8, "application/json")
        );
        await refused.ProblemAsync(status, status == 400 ? "invalid_request" : "invalid_settings");
        await (await shared.Http.GetAsync(url)).ProblemAsync(404, "category_not_found");
    }

    [Fact]
    public async Task A_box_of_a_few_pixels_and_an_image_of_one_are_scored()
    {
        var plate = await CreateAsync(Enumerable.Range(0, 8).Select(seed => Plates.Draw(seed)));
        var tiny = await CreateRegionAsync(
            plate,
            new
            {
                x = 0.3,
                y = 0.3,
                width = 0.02,
                height = 0.02,
            },
            "none",
            imageSize: 32
        );
        Assert.Equal(
            "{\"x\":72,\"y\":48,\"width\":5,\"height\":3}",
            (await tiny.ScoreAsync(Plates.Draw(1))).Items("regionsOfInterest")[0]["box"]!.ToJsonString()
        );
        var pixel = await tiny.ScoreAsync(Parts.Plain(1, 1));
        Assert.Contains("size_differs", pixel.Items("warnings").Select(warning => warning.Text("code")));
        Assert.Contains("1 x 1", pixel.Items("warnings")[0].Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_box_is_kept_changed_and_reset()
    {
        var category = await shared.NewCategoryAsync();
        var patched = await (await shared.Http.PatchAsJsonAsync(category.Url, new { region = Plates.Hole })).JsonAsync(
            200
        );
        Assert.Equal(0.25, patched["region"]!.Number("width"));
        patched = await (
            await shared.Http.PatchAsJsonAsync(category.Url, new { region = new { width = 0.125 } })
        ).JsonAsync(200);
        Assert.Equal((35 / 240.0, 0.125), (patched["region"]!.Number("x"), patched["region"]!.Number("width")));
        patched = await (await shared.Http.PatchAsJsonAsync(category.Url, new { region = (object?)null })).JsonAsync(
            200
        );
        Assert.Null(patched["region"]);
    }

    private async Task<CategoryClient> CreateAsync(IEnumerable<byte[]> images)
    {
        var plate = await shared.NewCategoryAsync();
        await (await plate.UploadAsync(images.Select((bytes, i) => ($"plate-{i}.bmp", bytes)))).JsonAsync(200);
        return plate;
    }

    private async Task<CategoryClient> CreateRegionAsync(
        CategoryClient source,
        object region,
        string alignment,
        int imageSize
    )
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateAsync(
            new
            {
                imagesOf = source.Name,
                region,
                alignment,
                imageSize,
                reduction = new { dimensions = 16 },
                blurSigma = 2,
            }
        );
        await category.FitAsync();
        return category;
    }

    /// <summary>The part moves by more than this, so an area that did not move with it is too far away.</summary>
    private static void AssertAround(JsonNode region, (double X, double Y) spot)
    {
        Assert.InRange(region.Number("x") + region.Number("width") / 2, spot.X - 15, spot.X + 15);
        Assert.InRange(region.Number("y") + region.Number("height") / 2, spot.Y - 15, spot.Y + 15);
    }

    private static void AssertInside(JsonNode region, int left, int top, int right, int bottom)
    {
        Assert.InRange(region.Number("x"), left, right - region.Number("width"));
        Assert.InRange(region.Number("y"), top, bottom - region.Number("height"));
    }
}
