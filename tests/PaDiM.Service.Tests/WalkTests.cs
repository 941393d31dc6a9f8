using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class WalkTests(SharedService shared)
{
    [Fact]
    public async Task From_nothing_to_a_score()
    {
        var category = shared.Service.Category(shared.NewName());
        var created = await shared.Http.PutAsJsonAsync(category.Url, CategoryClient.SmallSettings);
        Assert.Equal(category.Url, created.Headers.Location?.OriginalString);
        Assert.Equal(16, (await created.JsonAsync(201))["reduction"]!["dimensions"]!.GetValue<int>());

        Assert.Equal(8, (await category.UploadPartsAsync(0, 8)).Length);
        // Each shows another part: equal pixels would be duplicates, whatever their format.
        foreach (var (seed, format) in new[] { "png", "jpeg", "bmp", "tiff", "webp" }.Index())
        {
            var bytes = Parts.Encoded(100 + seed, format);
            var image = (await (await category.UploadRawAsync(bytes, $"image/{format}")).JsonAsync(200))
                .Items("accepted")
                .Single();
            Assert.Equal((Parts.Side, Parts.Side), (image["width"]!.GetValue<int>(), image["height"]!.GetValue<int>()));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), image.Text("sha256"));
            Assert.Equal("normal", image.Text("label"));
        }
        var listed = (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items();
        Assert.Equal(
            ["image/png", "image/jpeg", "image/bmp", "image/tiff", "image/webp"],
            listed.Skip(8).Select(image => image.Text("mediaType"))
        );

        var started = await shared.Http.PostAsync($"{category.Url}/fits", null);
        var job = await started.JsonAsync(202);
        Assert.Equal($"/v1/jobs/{job.Text("id")}", started.Headers.Location?.OriginalString);
        Assert.Equal(("fit", category.Name), (job.Text("kind"), job.Text("category")));

        var events = new List<JsonNode>();
        using (
            var stream = await shared.Http.GetAsync(
                $"/v1/jobs/{job.Text("id")}/events",
                HttpCompletionOption.ResponseHeadersRead
            )
        )
        {
            Assert.Equal("text/event-stream", stream.Content.Headers.ContentType?.MediaType);
            await foreach (var item in SseParser.Create(await stream.Content.ReadAsStreamAsync()).EnumerateAsync())
            {
                Assert.Equal("job", item.EventType);
                events.Add(JsonNode.Parse(item.Data)!);
            }
        }
        Assert.Equal(
            ("succeeded", 1.0, 1),
            (events[^1].Text("state"), events[^1].Number("progress"), events[^1]["modelVersion"]!.GetValue<int>())
        );
        Assert.Equal(events.Select(e => e.Number("progress")).Order(), events.Select(e => e.Number("progress")));

        var model = (await shared.Http.GetJsonAsync($"{category.Url}/models")).Items().Single();
        Assert.Equal(
            (1, true, 13, 16),
            (
                model["version"]!.GetValue<int>(),
                model["active"]!.GetValue<bool>(),
                model["imageCount"]!.GetValue<int>(),
                model["dimensions"]!.GetValue<int>()
            )
        );
        Assert.Equal([16, 16], model["grid"]!.AsArray().Select(extent => extent!.GetValue<int>()));
        Assert.Equal("tiny", model["backbone"]!.Text("name"));
        Assert.True(model["rankDeficient"]!.GetValue<bool>());
        Assert.Equal(1 / 14.0, model.Number("smallestFalseRejectRate"), 12);
        Assert.Equal(model.ToJsonString(), (await shared.Http.GetJsonAsync($"{category.Url}/models/1")).ToJsonString());

        var good = await category.ScoreAsync(Parts.Good(1));
        Assert.Equal((1, model.Number("threshold")), (good["modelVersion"]!.GetValue<int>(), good.Number("threshold")));
        Assert.Equal("normal", good.Text("decision"));
        Assert.InRange(good.Number("pValue"), 1 / 14.0, 1);
        Assert.Equal("cpu", good.Text("device"));
    }

    [Fact]
    public async Task A_defect_is_anomalous_and_its_region_lies_where_it_is()
    {
        var category = await shared.FittedAsync();
        var bytes = Parts.Bad(500);
        var scored = await category.ScoreAsync(bytes);
        Assert.Equal("anomalous", scored.Text("decision"));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), scored["image"]!.Text("sha256"));
        Assert.Null(scored["heatmap"]);
        var regions = scored.Items("regions");
        Assert.NotEmpty(regions);
        foreach (var region in regions)
        {
            Assert.InRange(region.Number("x"), 0, Parts.Side - 1);
            Assert.InRange(region.Number("y"), 0, Parts.Side - 1);
            Assert.InRange(region.Number("x") + region.Number("width"), 1, Parts.Side);
            Assert.InRange(region.Number("y") + region.Number("height"), 1, Parts.Side);
            Assert.InRange(
                (float)region.Number("peakScore"),
                (float)scored.Number("threshold"),
                (float)scored.Number("score")
            );
        }
        Assert.Equal((float)scored.Number("score"), (float)regions[0].Number("peakScore"));
        Assert.True(regions[0].Number("x") < 64 && regions[0].Number("x") + regions[0].Number("width") > 40);
        Assert.True(regions[0].Number("y") < 36 && regions[0].Number("y") + regions[0].Number("height") > 12);
    }

    [Fact]
    public async Task Picture_and_numbers_carry_the_result_in_headers()
    {
        var category = await shared.FittedAsync();
        var scored = await category.ScoreAsync(Parts.Bad(501));

        var npy = await category.SendScoreAsync(Parts.Bad(501), accept: "application/x-npy");
        Assert.Equal(("application/x-npy", 200), (npy.Content.Headers.ContentType?.MediaType, (int)npy.StatusCode));
        var array = NumpyArray.Parse(await npy.Content.ReadAsByteArrayAsync());
        Assert.Equal((64, 64), (array.Height, array.Width));
        Assert.Equal((float)scored.Number("score"), array.Values.Max());

        var png = await category.SendScoreAsync(Parts.Bad(501), accept: "image/png");
        Assert.Equal("image/png", png.Content.Headers.ContentType?.MediaType);
        using (var picture = NetVips.Image.NewFromBuffer(await png.Content.ReadAsByteArrayAsync()))
            Assert.Equal((Parts.Side, Parts.Side), (picture.Width, picture.Height));

        foreach (var response in new[] { npy, png })
        {
            Assert.Equal(category.Name, Header(response, "X-Padim-Category"));
            Assert.Equal("1", Header(response, "X-Padim-Model-Version"));
            Assert.Equal("anomalous", Header(response, "X-Padim-Decision"));
            Assert.Equal(scored.Number("score"), Parse(Header(response, "X-Padim-Score")));
            Assert.Equal(scored.Number("threshold"), Parse(Header(response, "X-Padim-Threshold")));
            Assert.Equal(scored.Number("pValue"), Parse(Header(response, "X-Padim-P-Value")));
        }
        await (await category.SendScoreAsync(Parts.Bad(501), accept: "text/html")).ProblemAsync(406, "not_acceptable");
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("map")]
    public async Task A_heatmap_comes_as_base64_with_the_json(string style)
    {
        var category = await shared.FittedAsync();
        var scored = await category.ScoreAsync(Parts.Bad(502), $"?heatmap={style}");
        using var picture = NetVips.Image.NewFromBuffer(Convert.FromBase64String(scored.Text("heatmap")));
        Assert.Equal((Parts.Side, Parts.Side), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task A_large_JPEG_is_scaled_down_while_it_is_decoded_and_nothing_in_the_answer_is()
    {
        var category = await shared.FittedAsync();
        const int enlargement = 8;
        using var small = NetVips.Image.NewFromBuffer(ImageEncoder.EncodePng(Decode(Parts.Bad(502))));
        using var large = small.Resize(enlargement, kernel: NetVips.Enums.Kernel.Nearest);
        var jpeg = large.JpegsaveBuffer(q: 98, keep: NetVips.Enums.ForeignKeep.None);
        var scored = await category.ScoreAsync(jpeg);
        var drawn = await category.ScoreAsync(jpeg, "?heatmap=overlay");

        Assert.Equal(scored.Number("score"), drawn.Number("score"));
        Assert.Equal(enlargement * Parts.Side, scored["image"]!.Number("width"));
        Assert.Equal(enlargement * Parts.Side, scored["image"]!.Number("height"));
        using var overlay = NetVips.Image.NewFromBuffer(Convert.FromBase64String(drawn.Text("heatmap")));
        Assert.Equal((large.Width, large.Height), (overlay.Width, overlay.Height));
        var original = await category.ScoreAsync(Parts.Bad(502));
        Assert.InRange(scored.Number("score") / original.Number("score"), 0.9, 1.1);
        var (expected, region) = (original["regions"]![0]!, scored["regions"]![0]!);
        foreach (var member in new[] { "x", "y", "width", "height" })
            Assert.InRange(Math.Abs(region.Number(member) - enlargement * expected.Number(member)), 0, 3 * enlargement);

        static RgbImage Decode(byte[] bytes) =>
            Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(bytes)).Image;
    }

    [Theory]
    [InlineData("?heatmap=rainbow")]
    [InlineData("?heatmap=99")]
    [InlineData("?model=new")]
    public async Task A_parameter_that_cannot_be_read_is_named(string query)
    {
        var category = await shared.FittedAsync();
        await (await category.SendScoreAsync(Parts.Good(1), query)).ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task A_batch_keeps_the_order_with_a_bad_file_among_good_ones()
    {
        var category = await shared.FittedAsync();
        var batch = await (
            await shared.Http.PostAsync(
                $"{category.Url}/score/batch",
                CategoryClient.Form([
                    .. Enumerable
                        .Range(0, 11)
                        .Select(k =>
                            (
                                "files",
                                $"{k}.bmp",
                                k == 5 ? "no image"u8.ToArray()
                                : k % 2 == 0 ? Parts.Good(600 + k)
                                : Parts.Bad(600 + k)
                            )
                        ),
                ])
            )
        ).JsonAsync(200);
        var results = batch.Items("results");
        Assert.Equal(
            Enumerable.Range(0, 11).Select(k => $"{k}.bmp"),
            results.Select(result => result.Text("fileName"))
        );
        for (var k = 0; k < results.Length; k++)
        {
            Assert.Equal(k == 5, results[k]["result"] is null);
            if (k == 5)
                Assert.Equal("image_unreadable", results[k]["error"]!.Text("code"));
            else if (k % 2 == 1)
                Assert.Equal("anomalous", results[k]["result"]!.Text("decision"));
        }
        var alone = await category.ScoreAsync(Parts.Bad(603));
        Assert.Equal(alone.Number("score"), results[3]["result"]!.Number("score"), 1e-4 * alone.Number("score"));
    }

    [Fact]
    public async Task Scoring_takes_the_first_file_of_a_form()
    {
        var category = await shared.FittedAsync();
        var raw = await category.ScoreAsync(Parts.Bad(700));
        var form = await (
            await shared.Http.PostAsync(
                $"{category.Url}/score",
                CategoryClient.Form(("files", "a.bmp", Parts.Bad(700)))
            )
        ).JsonAsync(200);
        Assert.Equal(raw.Number("score"), form.Number("score"));
    }

    [Fact]
    public async Task Scoring_says_what_is_missing()
    {
        var category = await shared.NewCategoryAsync();
        await (await category.SendScoreAsync(Parts.Good(1))).ProblemAsync(409, "model_not_ready");
        await (await category.SendScoreAsync(Parts.Good(1), "?model=1")).ProblemAsync(404, "model_not_found");
        await (await shared.Service.Category("nowhere").SendScoreAsync(Parts.Good(1))).ProblemAsync(
            404,
            "category_not_found"
        );

        category = await shared.FittedAsync();
        await (await category.SendScoreAsync([])).ProblemAsync(400, "empty_body");
        await (await category.SendScoreAsync(Parts.Good(1)[..400])).ProblemAsync(422, "image_unreadable");
        await (await category.SendScoreAsync("text"u8.ToArray())).ProblemAsync(422, "image_unreadable");
        await (
            await category.SendScoreAsync(Parts.Good(1), mediaType: "application/x-www-form-urlencoded")
        ).ProblemAsync(415, "unsupported_media_type");
        await (
            await shared.Http.PostAsync(
                $"{category.Url}/score",
                CategoryClient.Raw("--b--\r\n"u8.ToArray(), "multipart/form-data; boundary=b")
            )
        ).ProblemAsync(400, "no_images");
        await (
            await shared.Http.PostAsync(
                $"{category.Url}/score/batch",
                CategoryClient.Raw("--b--\r\n"u8.ToArray(), "multipart/form-data; boundary=b")
            )
        ).ProblemAsync(400, "no_images");
    }

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.GetValues(name).Single();

    private static double Parse(string number) =>
        double.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
}
