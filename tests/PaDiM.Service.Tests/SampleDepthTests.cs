using System.Net.Http.Json;
using NetVips;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Cameras of 10 and 12 bits, whose samples fill the lower bits of 16.</summary>
public sealed class SampleDepthTests(SharedService shared)
{
    private const string MediaType = "application/octet-stream";

    private static readonly string Layout = $"?width={Parts.Side}&height={Parts.Side}&format=";

    [Theory]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(16)]
    public async Task A_part_has_one_score_at_every_declared_depth(int bits)
    {
        var category = await shared.FittedAsync();
        var expected = (await category.ScoreAsync(Parts.Bad(700))).Number("score");
        var query = $"?significantBits={bits}";
        var deep = Encode(Parts.Bad(700), bits);
        var scored = await category.ScoreAsync(deep, query);
        Assert.Equal(expected, scored.Number("score"));
        Assert.Equal(
            (await category.ScoreAsync(Parts.Bad(700), "?heatmap=overlay")).Text("heatmap"),
            (await category.ScoreAsync(deep, $"{query}&heatmap=overlay")).Text("heatmap")
        );
        using var form = CategoryClient.Form(("files", "0.png", deep), ("files", "1.bmp", Parts.Bad(700)));
        var results = (
            await (await shared.Http.PostAsync($"{category.Url}/score/batch{query}", form)).JsonAsync(200)
        ).Items("results");
        Assert.All(results, result => Assert.Equal(expected, result["result"]!.Number("score"), 1e-4 * expected));
        // The file itself may say it.
        Assert.Equal(expected, (await category.ScoreAsync(State(deep, bits))).Number("score"));
        // Not declared anywhere: most grey levels are lost, and a warning says so.
        var undeclared = await category.ScoreAsync(deep);
        Assert.Equal(bits < 16, undeclared.Number("score") != expected);
        Assert.Equal(
            bits < 16,
            undeclared.Items("warnings").Any(warning => warning.Text("detail").Contains("significantBits"))
        );
    }

    [Theory]
    [InlineData("gray10", "")]
    [InlineData("gray12", "")]
    [InlineData("gray10p", "")]
    [InlineData("gray12p", "")]
    [InlineData("gray16", "&significantBits=12")]
    [InlineData("bayer_rg8", "")]
    [InlineData("bayer_gr8", "")]
    [InlineData("bayer_gb8", "")]
    [InlineData("bayer_bg8", "")]
    public async Task A_frame_scores_as_the_picture_that_is_made_of_it(string format, string more)
    {
        var category = await shared.FittedAsync();
        var layout = new PixelLayout(
            Parts.Side,
            Parts.Side,
            Enum.Parse<PixelFormat>(format.Replace("_", "", StringComparison.Ordinal), ignoreCase: true)
        );
        var raw = new byte[layout.Length];
        var grey = Decode(Parts.Bad(701)).Pixels.Where((_, i) => i % 3 == 1).ToArray();
        var bits = layout.SignificantBits ?? 12;
        for (var i = 0; i < grey.Length; i++)
        {
            var sample = (int)Math.Round(grey[i] * ((1 << bits) - 1) / 255.0);
            var at = (long)i * layout.BitsPerPixel;
            for (var b = 0; b < bits; b++)
                raw[(at + b) / 8] |= (byte)((sample >> b & 1) << (int)((at + b) % 8));
        }
        var image = (
            (DecodeResult.Decoded)ImageDecoder.DecodePixels(raw, layout, new DecodeOptions { SignificantBits = 12 })
        ).Image;
        if (!layout.IsMosaic)
            Assert.Equal(grey.SelectMany(v => new[] { v, v, v }), image.Pixels);
        Assert.Equal(
            (await category.ScoreAsync(ImageEncoder.EncodePng(image))).Number("score"),
            (await (await category.SendScoreAsync(raw, Layout + format + more, MediaType)).JsonAsync(200)).Number(
                "score"
            )
        );
    }

    [Fact]
    public async Task A_category_of_twelve_bits_fits_scores_and_evaluates_as_one_of_eight()
    {
        var plain = await shared.NewCategoryAsync();
        var deep = await shared.NewCategoryAsync();
        Assert.Equal(12, (await PatchAsync(deep, 12)).Number("significantBits"));
        foreach (var category in new[] { plain, deep })
        {
            for (var seed = 0; seed < 6; seed++)
                await UploadAsync(category, Parts.Good(seed), category == deep, "");
            await UploadAsync(category, Parts.Bad(50), category == deep, "?label=anomalous");
            await category.FitAsync();
        }
        var expected = await plain.ScoreAsync(Parts.Bad(702));
        var scored = await deep.ScoreAsync(Encode(Parts.Bad(702), 12));
        // A fit adds images in the order of their hashes, which differ.
        foreach (var member in new[] { "score", "threshold", "pValue" })
            Assert.Equal(expected.Number(member), scored.Number(member), 1e-3 * expected.Number(member));
        // Raw pixels of no depth of their own have that of the category.
        byte[] grey = [.. Decode(Parts.Bad(703)).Pixels.Where((_, i) => i % 3 == 0)];
        byte[] raw =
        [
            .. grey.Select(v => (int)Math.Round(v * 4095 / 255.0)).SelectMany(v => new[] { (byte)v, (byte)(v >> 8) }),
        ];
        var gray8 = await (await deep.SendScoreAsync(grey, Layout + "gray8", MediaType)).JsonAsync(200);
        var gray16 = await (await deep.SendScoreAsync(raw, Layout + "gray16", MediaType)).JsonAsync(200);
        Assert.Equal(gray8.Number("score"), gray16.Number("score"));
        // Files of 8 bits are as ever.
        Assert.Equal(scored.Number("score"), (await deep.ScoreAsync(Parts.Bad(702))).Number("score"));
        // A request knows better.
        Assert.Equal(
            scored.Number("score"),
            (await deep.ScoreAsync(Encode(Parts.Bad(702), 16), "?significantBits=16")).Number("score")
        );
        await (await deep.SendScoreAsync(Encode(Parts.Bad(702), 16))).ProblemAsync(422, "sample_out_of_range");
        var evaluations = await Task.WhenAll(EvaluateAsync(plain), EvaluateAsync(deep));
        foreach (var (first, second) in evaluations[0].Zip(evaluations[1]))
            Assert.Equal(first, second, 1e-3 * first);
        // A copy is found by what it shows.
        Assert.True(await UploadAsync(deep, Parts.Good(0), false, ""));

        // The model keeps its depth; the next fit takes the new one, and starts from nothing.
        await PatchAsync(deep, null);
        Assert.Equal(scored.Number("score"), (await deep.ScoreAsync(Encode(Parts.Bad(702), 12))).Number("score"));
        await deep.FitAsync();
        Assert.NotEqual(scored.Number("score"), (await deep.ScoreAsync(Encode(Parts.Bad(702), 12))).Number("score"));

        Assert.False(await UploadAsync(deep, Parts.Good(0), false, ""));

        async Task<bool> UploadAsync(CategoryClient category, byte[] bmp, bool isDeep, string query)
        {
            var (bytes, type) = isDeep ? (Encode(bmp, 12), "image/png") : (bmp, "image/bmp");
            var answer = await (await category.UploadRawAsync(bytes, type, query)).JsonAsync(200);
            return answer.Items("accepted").Single()["duplicate"]!.GetValue<bool>();
        }
    }

    [Fact]
    public async Task What_a_request_declares_of_an_upload_is_stored_with_the_image()
    {
        var category = await shared.NewCategoryAsync();
        var deep = Encode(Parts.Good(3), 10);
        var stored = (await (await category.UploadRawAsync(deep, "image/png", "?significantBits=10")).JsonAsync(200))
            .Items("accepted")
            .Single();
        var bytes = await shared.Http.GetByteArrayAsync($"{category.Url}/images/{stored.Text("id")}");
        Assert.Equal(Decode(Parts.Good(3)).Pixels, Decode(bytes).Pixels);
        var again = (await (await category.UploadRawAsync(Parts.Good(3), "image/bmp")).JsonAsync(200))
            .Items("accepted")
            .Single();
        Assert.Equal(stored.Text("id"), again.Text("duplicateOf"));
        // Eight bits have no depth: the file stays as it is.
        var plain = (
            await (await category.UploadRawAsync(Parts.Good(4), "image/bmp", "?significantBits=10")).JsonAsync(200)
        )
            .Items("accepted")
            .Single();
        Assert.Equal(Parts.Good(4), await shared.Http.GetByteArrayAsync($"{category.Url}/images/{plain.Text("id")}"));
        var refused = await (
            await category.UploadRawAsync(Encode(Parts.Good(5), 12), "image/png", "?significantBits=10")
        ).ProblemAsync(400, "sample_out_of_range");
        Assert.Contains("1023", refused.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_picture_to_look_at_has_the_depth_of_its_category()
    {
        var category = await shared.NewCategoryAsync();
        var stored = (await (await category.UploadRawAsync(Encode(Parts.Good(6), 12), "image/png")).JsonAsync(200))
            .Items("accepted")
            .Single();
        var url = $"{category.Url}/images/{stored.Text("id")}/thumbnail";
        Assert.InRange(await BrightestAsync(), 0, 32);
        await PatchAsync(category, 12);
        Assert.InRange(await BrightestAsync(), 128, 255);
        // Declared wrongly: there is still something to see.
        await PatchAsync(category, 8);
        Assert.InRange(await BrightestAsync(), 0, 32);

        async Task<int> BrightestAsync() => Decode(await shared.Http.GetByteArrayAsync(url)).Pixels.Max();
    }

    [Fact]
    public async Task Of_a_mask_everything_but_zero_counts_at_any_depth()
    {
        var category = await shared.NewCategoryAsync();
        var marks = new ushort[Parts.Side * Parts.Side];
        marks.AsSpan(0, 200).Fill(1);
        using var image = Image.NewFromMemoryCopy(marks, Parts.Side, Parts.Side, 1, Enums.BandFormat.Ushort);
        using var grey = image.Copy(interpretation: Enums.Interpretation.Grey16);
        var mask = grey.PngsaveBuffer();
        marks.AsSpan().Fill(1);
        using var all = Image.NewFromMemoryCopy(marks, Parts.Side, Parts.Side, 1, Enums.BandFormat.Ushort);
        using var white = all.Copy(interpretation: Enums.Interpretation.Grey16);
        // A mask that ignores everything is refused, and one of a few pixels is not.
        await (
            await shared.Http.PutAsync(
                $"{category.Url}/ignore-mask",
                CategoryClient.Raw(white.PngsaveBuffer(), "image/png")
            )
        ).ProblemAsync(422, "ignore_mask_unusable");
        await (
            await shared.Http.PutAsync($"{category.Url}/ignore-mask", CategoryClient.Raw(mask, "image/png"))
        ).JsonAsync(200);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(17)]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_depth_that_cannot_be_is_refused(int bits)
    {
        var category = await shared.NewCategoryAsync();
        var answer = await shared.Http.PatchAsJsonAsync(category.Url, new { significantBits = bits });
        Assert.Contains(
            "between 8 and 16",
            (await answer.ProblemAsync(422, "invalid_settings")).Text("detail"),
            StringComparison.Ordinal
        );
    }

    private async Task<System.Text.Json.Nodes.JsonNode> PatchAsync(CategoryClient category, int? bits) =>
        await (await shared.Http.PatchAsJsonAsync(category.Url, new { significantBits = bits })).JsonAsync(200);

    private async Task<double[]> EvaluateAsync(CategoryClient category)
    {
        var started = await (await shared.Http.PostAsync($"{category.Url}/evaluations", null)).JsonAsync(202);
        var job = await shared.Http.FinishedAsync(started.Text("id"));
        Assert.True(job.Text("state") == "succeeded", job.ToJsonString());
        var images = await shared.Http.GetJsonAsync($"/v1/evaluations/{started.Text("id")}/images");
        return [.. images.Items().Select(image => image.Number("score")).Order()];
    }

    /// <summary>A 16-bit PNG of the picture, of whose samples only the lower bits are used.</summary>
    private static byte[] Encode(byte[] bmp, int bits)
    {
        var image = Decode(bmp);
        ushort[] samples = [.. image.Pixels.Select(v => (ushort)Math.Round(v * ((1 << bits) - 1) / 255.0))];
        using var raw = Image.NewFromMemoryCopy(samples, image.Width, image.Height, 3, Enums.BandFormat.Ushort);
        using var rgb = raw.Copy(interpretation: Enums.Interpretation.Rgb16);
        return rgb.PngsaveBuffer();
    }

    /// <summary>Lets a PNG state its bits.</summary>
    private static byte[] State(byte[] png, int bits) =>
        [.. png[..33], .. PngFile.Chunk("sBIT", [(byte)bits, (byte)bits, (byte)bits]), .. png[33..]];

    private static PaDiM.Imaging.RgbImage Decode(byte[] bytes) =>
        Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(bytes)).Image;
}
