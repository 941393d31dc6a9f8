using System.Buffers.Binary;
using System.Security.Cryptography;
using NetVips;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Frames as cameras deliver them, without an encoding.</summary>
public sealed class RawPixelTests(SharedService shared)
{
    private const string MediaType = "application/octet-stream";
    private const int Width = 80,
        Height = 60;

    [Theory]
    [InlineData("rgb24")]
    [InlineData("bgr24")]
    [InlineData("gray8")]
    [InlineData("gray16")]
    public async Task The_answer_is_that_of_the_same_pixels_as_png(string format)
    {
        var category = await shared.FittedAsync();
        var (raw, png) = Frame(format);
        var encoded = await category.ScoreAsync(png, "?heatmap=overlay");
        var scored = await (
            await category.SendScoreAsync(raw, $"{Query(format)}&heatmap=overlay", MediaType)
        ).JsonAsync(200);
        foreach (var member in new[] { "score", "threshold", "pValue", "decision", "regions", "heatmap" })
            Assert.Equal(encoded[member]!.ToJsonString(), scored[member]!.ToJsonString());
        Assert.Equal(
            (Width, Height, Convert.ToHexStringLower(SHA256.HashData(raw))),
            (
                scored["image"]!["width"]!.GetValue<int>(),
                scored["image"]!["height"]!.GetValue<int>(),
                scored["image"]!.Text("sha256")
            )
        );

        var maps = await Task.WhenAll(
            category.SendScoreAsync(png, accept: "application/x-npy"),
            category.SendScoreAsync(raw, Query(format), MediaType, "application/x-npy")
        );
        Assert.Equal(await maps[0].Content.ReadAsByteArrayAsync(), await maps[1].Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Without_the_parameters_the_bytes_are_an_encoded_image()
    {
        var category = await shared.FittedAsync();
        Assert.Equal(
            (await category.ScoreAsync(Frame("rgb24").Png)).Number("score"),
            (await (await category.SendScoreAsync(Frame("rgb24").Png, mediaType: MediaType)).JsonAsync(200)).Number(
                "score"
            )
        );
        await (await category.SendScoreAsync(Frame("rgb24").Raw, mediaType: MediaType)).ProblemAsync(
            422,
            "image_unreadable"
        );
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(-Width * Height)]
    public async Task Another_length_is_refused_with_both_numbers(int more)
    {
        var category = await shared.FittedAsync();
        foreach (var stated in new[] { true, false })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/score{Query("gray8")}")
            {
                Content = CategoryClient.Raw(new byte[Width * Height + more], MediaType),
            };
            request.Headers.TransferEncodingChunked = !stated;
            var detail = (
                await (await shared.Http.SendAsync(request)).ProblemAsync(422, "pixels_length_mismatch")
            ).Text("detail");
            Assert.Contains("4800 bytes", detail, StringComparison.Ordinal);
            // Of a body whose length is not stated, no more is read than could ever be right.
            Assert.Contains(
                stated || more < 65536 ? $"{Width * Height + more} bytes" : "many more",
                detail,
                StringComparison.Ordinal
            );
        }
    }

    [Theory]
    [InlineData("?width=80", "go together")]
    [InlineData("?width=80&height=60", "go together")]
    [InlineData("?height=60&format=gray8", "go together")]
    [InlineData("?format=gray8", "go together")]
    [InlineData("?width=80&height=60&format=yuv", "gray12p, bayer_rg8, bayer_gr8, bayer_gb8, bayer_bg8")]
    [InlineData("?width=80&height=60&format=2", "rgb24, bgr24, gray8, gray16")]
    [InlineData("?width=80&height=60&format=bayer-rg8", "bayer_rg8")]
    [InlineData("?width=4800&height=1&format=bayer_bg8", "2 x 2")]
    [InlineData("?significantBits=7", "between 8 and 16")]
    [InlineData("?significantBits=17", "between 8 and 16")]
    [InlineData("?width=80&height=60&format=gray12&significantBits=10", "12 bits by its name")]
    [InlineData("?width=80&height=60&format=gray8&significantBits=12", "8 bits by its name")]
    [InlineData("?width=0&height=60&format=gray8", "at least 1")]
    [InlineData("?width=80&height=-60&format=gray8", "at least 1")]
    [InlineData("?width=-2147483648&height=-2147483648&format=gray16", "at least 1")]
    [InlineData("?width=99999999999&height=60&format=gray8", "width")]
    [InlineData("?width=80.5&height=60&format=gray8", "width")]
    public async Task Parameters_that_cannot_be_are_named(string query, string words)
    {
        var category = await shared.FittedAsync();
        foreach (var route in new[] { "score", "score/batch", "images" })
        {
            using var content =
                route == "score/batch"
                    ? CategoryClient.Form(("files", "0.raw", Frame("gray8").Raw))
                    : CategoryClient.Raw(Frame("gray8").Raw, MediaType);
            var answer = await shared.Http.PostAsync($"{category.Url}/{route}{query}", content);
            Assert.Contains(
                words,
                (await answer.ProblemAsync(400, "invalid_request")).Text("detail"),
                StringComparison.Ordinal
            );
        }
    }

    [Theory]
    [InlineData("?width=2147483647&height=2147483647&format=rgb24")]
    [InlineData("?width=8193&height=8192&format=gray8")]
    public async Task The_limit_on_pixels_holds_before_any_is_read(string query)
    {
        var category = await shared.FittedAsync();
        Assert.Contains(
            "67,108,864",
            (await (await category.SendScoreAsync([1], query, MediaType)).ProblemAsync(413, "image_too_large")).Text(
                "detail"
            ),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_limit_on_encoded_bytes_is_none_on_raw_ones()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("MaxImageBytes", 9_000),
            ("MaxPixels", 9_216)
        );
        var category = service.Category("raw");
        await category.CreateAsync();
        for (var seed = 0; seed < 2; seed++)
            await (await category.UploadRawAsync(Frame("rgb24", seed).Raw, MediaType, Query("rgb24"))).JsonAsync(200);
        await category.FitAsync();
        await (await category.SendScoreAsync(Frame("rgb24").Raw, Query("rgb24"), MediaType)).JsonAsync(200);
        await (
            await category.SendScoreAsync(new byte[9217], "?width=9217&height=1&format=gray8", MediaType)
        ).ProblemAsync(413, "image_too_large");
    }

    [Theory]
    [InlineData("image/png", "octet-stream")]
    [InlineData("image/x-raw", "octet-stream")]
    [InlineData("application/json", "octet-stream")]
    public async Task A_content_type_that_says_otherwise_is_refused(string mediaType, string words)
    {
        var category = await shared.FittedAsync();
        foreach (var route in new[] { "score", "score/batch", "images" })
        {
            var answer = await shared.Http.PostAsync(
                $"{category.Url}/{route}{Query("gray8")}",
                CategoryClient.Raw(Frame("gray8").Raw, mediaType)
            );
            var problem = await answer.ProblemAsync(415, "unsupported_media_type");
            if (mediaType.StartsWith("image/", StringComparison.Ordinal))
                Assert.Contains(words, problem.Text("detail"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_file_of_a_batch_is_raw_and_a_bad_one_is_an_entry()
    {
        var category = await shared.FittedAsync();
        var png = CategoryClient.Raw(Frame("gray8").Raw, "image/png");
        using var form = CategoryClient.Form(
            ("files", "0.raw", Frame("gray8", 0).Raw),
            ("files", "1.raw", new byte[7]),
            ("files", "2.raw", Frame("gray8", 2).Raw)
        );
        form.Add(png, "files", "3.png");
        var results = (
            await (await shared.Http.PostAsync($"{category.Url}/score/batch{Query("gray8")}", form)).JsonAsync(200)
        ).Items("results");
        Assert.Equal(
            [null, "pixels_length_mismatch", null, "unsupported_media_type"],
            results.Select(result => result["error"]?.Text("code"))
        );
        foreach (var seed in new[] { 0, 2 })
        {
            var alone = await category.ScoreAsync(Frame("gray8", seed).Png);
            Assert.Equal(alone.Number("score"), results[seed]["result"]!.Number("score"), 1e-4 * alone.Number("score"));
        }
    }

    [Fact]
    public async Task A_form_with_one_raw_file_is_scored_and_a_text_field_refused()
    {
        var category = await shared.FittedAsync();
        using var form = CategoryClient.Form(("files", "frame.raw", Frame("bgr24").Raw));
        Assert.Equal(
            (await category.ScoreAsync(Frame("bgr24").Png)).Number("score"),
            (await (await shared.Http.PostAsync($"{category.Url}/score{Query("bgr24")}", form)).JsonAsync(200)).Number(
                "score"
            )
        );
        using var text = new MultipartFormDataContent { { new StringContent("hello"), "note" } };
        await (await shared.Http.PostAsync($"{category.Url}/score{Query("bgr24")}", text)).ProblemAsync(
            400,
            "invalid_request"
        );
    }

    [Fact]
    public async Task An_uploaded_frame_is_kept_as_png_and_stays_one_image()
    {
        var category = await shared.NewCategoryAsync();
        var (raw, png) = Frame("gray16");
        var first = (await (await category.UploadRawAsync(raw, MediaType, Query("gray16"))).JsonAsync(200))
            .Items("accepted")
            .Single();
        Assert.Equal(
            (Width, Height, false),
            (first["width"]!.GetValue<int>(), first["height"]!.GetValue<int>(), first["duplicate"]!.GetValue<bool>())
        );
        Assert.True(
            (await (await category.UploadRawAsync(raw, MediaType, Query("gray16"))).JsonAsync(200))
                .Items("accepted")
                .Single()["duplicate"]!.GetValue<bool>()
        );

        var stored = await shared.Http.GetAsync($"{category.Url}/images/{first.Text("id")}");
        Assert.Equal("image/png", stored.Content.Headers.ContentType?.MediaType);
        var bytes = await stored.Content.ReadAsByteArrayAsync();
        Assert.Equal(first.Text("sha256"), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        Assert.Equal(Decoded(png), Decoded(bytes));

        var refused = await (await category.UploadRawAsync(raw[1..], MediaType, Query("gray16"))).ProblemAsync(
            400,
            "pixels_length_mismatch"
        );
        Assert.Equal("pixels_length_mismatch", refused.Items("errors").Single().Text("code"));
    }

    private static string Query(string format) => $"?width={Width}&height={Height}&format={format}";

    /// <summary>A frame with samples of every size, and a PNG of the very same samples.</summary>
    private static (byte[] Raw, byte[] Png) Frame(string format, int seed = 0)
    {
        var samples = new byte[
            Width
                * Height
                * (
                    format switch
                    {
                        "gray8" => 1,
                        "gray16" => 2,
                        _ => 3,
                    }
                )
        ];
        new Random(seed).NextBytes(samples);
        if (format == "gray16")
        {
            var wide = Enumerable
                .Range(0, Width * Height)
                .Select(i => BinaryPrimitives.ReadUInt16LittleEndian(samples.AsSpan(2 * i)))
                .ToArray();
            return (
                samples,
                Png(
                    Image.NewFromMemoryCopy(wide, Width, Height, 1, Enums.BandFormat.Ushort),
                    Enums.Interpretation.Grey16
                )
            );
        }
        byte[] seen = format == "bgr24" ? [.. samples.Chunk(3).SelectMany(pixel => pixel.Reverse())] : samples;
        return format == "gray8"
            ? (
                samples,
                Png(Image.NewFromMemoryCopy(seen, Width, Height, 1, Enums.BandFormat.Uchar), Enums.Interpretation.Bw)
            )
            : (
                samples,
                Png(Image.NewFromMemoryCopy(seen, Width, Height, 3, Enums.BandFormat.Uchar), Enums.Interpretation.Srgb)
            );
    }

    private static byte[] Png(Image image, Enums.Interpretation interpretation)
    {
        using (image)
        using (var meant = image.Copy(interpretation: interpretation))
            return meant.PngsaveBuffer();
    }

    private static byte[] Decoded(byte[] png) =>
        ((PaDiM.Imaging.Decoding.DecodeResult.Decoded)new PaDiM.Imaging.Decoding.ImageDecoder().Decode(png))
            .Image
            .Pixels;
}
