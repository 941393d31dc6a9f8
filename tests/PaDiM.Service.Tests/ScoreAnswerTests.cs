using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Scoring;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What a score can say besides the decision, and in which formats.</summary>
public sealed class ScoreAnswerTests(SharedService shared)
{
    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("image/*", "image/png")]
    [InlineData("image/jpeg", "image/jpeg")]
    [InlineData("image/webp, application/json", "image/webp")]
    [InlineData("image/webp;q=0.4, image/jpeg;q=0.8, */*;q=0.1", "image/jpeg")]
    [InlineData("image/*, image/png;q=0", "image/jpeg")]
    [InlineData("*/*, application/json;q=0.2, image/png;q=0.3", "image/jpeg")]
    [InlineData("image/png;q=0.5, image/*;q=0.9", "image/jpeg")]
    [InlineData("text/html, application/x-npy;q=0.1", "application/x-npy")]
    [InlineData("text/html", null)]
    [InlineData("image/jpeg;q=0", null)]
    public void The_type_that_the_client_likes_best_is_chosen(string? accept, string? expected) =>
        Assert.Equal(expected, ScoreAnswers.Choose(Request(accept), ScoreAnswers.GetAvailable(HeatmapStyle.Overlay)));

    [Theory]
    [InlineData("image/*", "image/png")]
    [InlineData("image/jpeg, application/json;q=0.1", "application/json")]
    [InlineData("image/webp", null)]
    public void A_mask_is_never_lossy(string accept, string? expected) =>
        Assert.Equal(expected, ScoreAnswers.Choose(Request(accept), ScoreAnswers.GetAvailable(HeatmapStyle.Mask)));

    [Theory]
    [InlineData("image/jpeg", new byte[] { 0xFF, 0xD8, 0xFF })]
    [InlineData("image/webp", new[] { (byte)'R', (byte)'I', (byte)'F', (byte)'F' })]
    public async Task An_overlay_comes_in_the_accepted_format(string accept, byte[] signature)
    {
        var category = await shared.FittedAsync();
        var response = await category.SendScoreAsync(Parts.Bad(501), accept: accept);
        Assert.Equal(accept, response.Content.Headers.ContentType?.MediaType);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(signature, bytes[..signature.Length]);
        using var lossy = NetVips.Image.NewFromBuffer(bytes);
        var png = await category.SendScoreAsync(Parts.Bad(501), accept: "image/png");
        using var exact = NetVips.Image.NewFromBuffer(await png.Content.ReadAsByteArrayAsync());
        Assert.Equal((Parts.Side, Parts.Side), (lossy.Width, lossy.Height));
        using var difference = (lossy - exact).Abs();
        Assert.InRange(difference.Avg(), 0, 8);
    }

    [Fact]
    public async Task A_mask_is_white_on_the_regions_as_a_picture_and_with_the_json()
    {
        var category = await shared.FittedAsync();
        var response = await category.SendScoreAsync(Parts.Bad(501), "?heatmap=mask", accept: "image/png");
        var png = await response.Content.ReadAsByteArrayAsync();
        var scored = await category.ScoreAsync(Parts.Bad(501), "?heatmap=mask");
        Assert.Equal(png, Convert.FromBase64String(scored.Text("heatmap")));
        using var mask = NetVips.Image.NewFromBuffer(png);
        Assert.Equal((Parts.Side, Parts.Side, 1), (mask.Width, mask.Height, mask.Bands));
        var values = mask.WriteToMemory<byte>();
        Assert.All(values, value => Assert.True(value is 0 or 255));
        // The mask has the area in percent, up to the size of the map's pixels.
        Assert.Equal(
            scored.Number("defectAreaPercent"),
            100.0 * values.Count(value => value == 255) / values.Length,
            1.0
        );
        Assert.Equal(Header(response, "X-Padim-Defect-Area-Percent"), scored.Number("defectAreaPercent"));
        await (await category.SendScoreAsync(Parts.Bad(501), "?heatmap=mask", accept: "image/webp")).ProblemAsync(
            406,
            "not_acceptable"
        );
    }

    [Fact]
    public async Task A_good_part_has_no_defect_area_and_a_black_mask()
    {
        var category = await shared.FittedAsync();
        var scored = await category.ScoreAsync(Parts.Good(0), "?heatmap=mask&contours=true");
        Assert.Equal(0, scored.Number("defectAreaPercent"));
        Assert.InRange(scored.Number("scoreRatio"), 0, 1);
        using var mask = NetVips.Image.NewFromBuffer(Convert.FromBase64String(scored.Text("heatmap")));
        Assert.Equal(0, mask.Max());
    }

    [Fact]
    public async Task The_ratio_is_the_score_over_the_threshold()
    {
        var category = await shared.FittedAsync();
        var scored = await category.ScoreAsync(Parts.Bad(501));
        Assert.Equal(scored.Number("score") / scored.Number("threshold"), scored.Number("scoreRatio"));
        Assert.True(scored.Number("scoreRatio") >= 1);
        var map = await category.SendScoreAsync(Parts.Bad(501), accept: "application/x-npy");
        Assert.Equal(scored.Number("scoreRatio"), Header(map, "X-Padim-Score-Ratio"));
    }

    [Fact]
    public async Task Contours_come_on_request_in_batches_too()
    {
        var category = await shared.FittedAsync();
        Assert.All(Regions(await category.ScoreAsync(Parts.Bad(501))), region => Assert.Null(region["contour"]));
        var scored = await category.ScoreAsync(Parts.Bad(501), "?contours=true");
        var regions = Regions(scored);
        Assert.NotEmpty(regions);
        Assert.All(
            regions,
            region =>
            {
                var corners = region["contour"]!.AsArray();
                Assert.InRange(corners.Count, 3, 200);
                foreach (var corner in corners)
                {
                    var left = region.Number("x");
                    var top = region.Number("y");
                    Assert.InRange((double)corner![0]!, left, left + region.Number("width"));
                    Assert.InRange((double)corner[1]!, top, top + region.Number("height"));
                }
            }
        );
        var batch = await (
            await shared.Http.PostAsync(
                $"{category.Url}/score/batch?contours=true&heatmap=mask",
                CategoryClient.Form(("files", "bad.bmp", Parts.Bad(501)))
            )
        ).JsonAsync(200);
        var result = batch["results"]![0]!["result"]!;
        Assert.Equal(scored["regions"]!.ToJsonString(), result["regions"]!.ToJsonString());
        Assert.Equal(scored.Number("scoreRatio"), result.Number("scoreRatio"));
        Assert.Equal((byte)'P', Convert.FromBase64String(result.Text("heatmap"))[1]);
    }

    /// <summary>WebP ends at 16 383 pixels a side.</summary>
    [Fact]
    public async Task A_picture_that_its_format_cannot_hold_is_refused()
    {
        var category = await shared.FittedAsync();
        var wide = Parts.Plain(16_384, 2);
        await (await category.SendScoreAsync(wide, accept: "image/webp")).ProblemAsync(406, "not_acceptable");
        Assert.Equal(200, (int)(await category.SendScoreAsync(wide, accept: "image/jpeg")).StatusCode);
    }

    private static JsonNode[] Regions(JsonNode scored) => [.. scored["regions"]!.AsArray().Select(region => region!)];

    private static double Header(HttpResponseMessage response, string name) =>
        double.Parse(response.Headers.GetValues(name).Single(), CultureInfo.InvariantCulture);

    private static HttpRequest Request(string? accept)
    {
        var request = new DefaultHttpContext().Request;
        if (accept is not null)
            request.Headers.Accept = accept;
        return request;
    }
}
