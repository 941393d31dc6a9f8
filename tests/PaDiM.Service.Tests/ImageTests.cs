using System.Buffers.Binary;
using System.Text;
using PaDiM.Service.Data;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public class ImageTests(SharedService shared)
{
    [Fact]
    public async Task The_same_bytes_twice_are_one_image()
    {
        var category = await shared.NewCategoryAsync();
        var first = (await (await category.UploadRawAsync(Parts.Good(1), "image/bmp")).JsonAsync(200))
            .Items("accepted")
            .Single();
        Assert.False(first["duplicate"]!.GetValue<bool>());
        var again = (
            await (
                await category.UploadAsync([
                    ("other.bmp", Parts.Good(1)),
                    ("new.bmp", Parts.Good(2)),
                    ("new.bmp", Parts.Good(2)),
                ])
            ).JsonAsync(200)
        ).Items("accepted");
        Assert.Equal([true, false, true], again.Select(image => image["duplicate"]!.GetValue<bool>()));
        Assert.Equal(first.Text("id"), again[0].Text("id"));
        Assert.Equal(again[1].Text("id"), again[2].Text("id"));
        Assert.Equal(2, (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items().Length);
    }

    [Fact]
    public async Task Parallel_uploads_of_the_same_bytes_are_one_image()
    {
        var category = await shared.NewCategoryAsync();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(_ => category.UploadRawAsync(Parts.Good(3), "image/bmp"))
        );
        var accepted = await Task.WhenAll(
            answers.Select(async answer => (await answer.JsonAsync(200)).Items("accepted").Single())
        );
        Assert.Single(accepted.Select(image => image.Text("id")).Distinct());
        Assert.Single(accepted, image => !image["duplicate"]!.GetValue<bool>());
    }

    [Fact]
    public async Task An_image_has_one_label()
    {
        var category = await shared.NewCategoryAsync();
        await (await category.UploadRawAsync(Parts.Good(1), "image/bmp")).JsonAsync(200);
        var problem = await (
            await category.UploadRawAsync(Parts.Good(1), "image/bmp", "?label=anomalous&defect=dent")
        ).ProblemAsync(400, "label_conflict");
        Assert.Equal("label_conflict", problem.Items("errors").Single().Text("code"));

        await (await category.UploadRawAsync(Parts.Bad(2), "image/bmp", "?label=anomalous&defect=square")).JsonAsync(
            200
        );
        var images = (await shared.Http.GetJsonAsync($"{category.Url}/images?label=anomalous")).Items();
        Assert.Equal(("anomalous", "square"), (images.Single().Text("label"), images.Single().Text("defect")));
        Assert.Single((await shared.Http.GetJsonAsync($"{category.Url}/images?label=normal")).Items());
        Assert.Equal(
            (1, 1),
            (
                (int)(await shared.Http.GetJsonAsync(category.Url))["images"]!.Number("normal"),
                (int)(await shared.Http.GetJsonAsync(category.Url))["images"]!.Number("anomalous")
            )
        );
    }

    [Theory]
    [InlineData("?label=good")]
    [InlineData("?label=7")]
    [InlineData("?defect=dent")]
    [InlineData("?label=anomalous&defect=01234567890123456789012345678901234567890123456789012345678901234")]
    public async Task Labels_and_defects_that_cannot_be_are_refused(string query)
    {
        var category = await shared.NewCategoryAsync();
        await (await category.UploadRawAsync(Parts.Good(1), "image/bmp", query)).ProblemAsync(400, "invalid_request");
        Assert.Empty((await shared.Http.GetJsonAsync($"{category.Url}/images")).Items());
    }

    [Fact]
    public async Task Masks_are_matched_by_name_and_must_have_the_images_size()
    {
        var category = await shared.NewCategoryAsync();
        var mask = Parts.Plain(Parts.Side, Parts.Side, 255);
        var answer = await (
            await category.UploadAsync(
                [("000.bmp", Parts.Bad(10)), ("001.bmp", Parts.Bad(11)), ("002.bmp", Parts.Bad(12))],
                "?label=anomalous&defect=square",
                [
                    ("000_mask.png", mask),
                    ("001.png", Parts.Plain(8, 8, 255)),
                    ("777.png", mask),
                    ("002.png", "junk"u8.ToArray()),
                ]
            )
        ).JsonAsync(200);
        Assert.Equal(
            [true, false, false],
            answer.Items("accepted").Select(image => image["hasMask"]!.GetValue<bool>())
        );
        Assert.Equal(
            [("002.png", "image_unreadable"), ("001.png", "mask_mismatch"), ("777.png", "mask_mismatch")],
            answer.Items("rejected").Select(file => (file.Text("fileName"), file.Text("code")))
        );
        Assert.Equal(
            [true, false, false],
            (await shared.Http.GetJsonAsync($"{category.Url}/images"))
                .Items()
                .Select(image => image["hasMask"]!.GetValue<bool>())
        );

        var normal = await (await category.UploadAsync([("n.bmp", Parts.Good(13))], "", [("n.png", mask)])).JsonAsync(
            200
        );
        Assert.Equal("mask_mismatch", normal.Items("rejected").Single().Text("code"));
    }

    [Fact]
    public async Task One_bad_file_never_loses_the_good_ones()
    {
        var category = await shared.NewCategoryAsync();
        var answer = await (
            await category.UploadAsync([
                ("a.bmp", Parts.Good(1)),
                ("b.png", "no image"u8.ToArray()),
                ("c.bmp", Parts.Good(2)),
            ])
        ).JsonAsync(200);
        Assert.Equal(["a.bmp", "c.bmp"], answer.Items("accepted").Select(image => image.Text("fileName")));
        var rejected = answer.Items("rejected").Single();
        Assert.Equal(("b.png", "image_unreadable"), (rejected.Text("fileName"), rejected.Text("code")));
        Assert.NotEqual("", rejected.Text("detail"));
    }

    [Fact]
    public async Task All_bad_is_one_problem_with_an_error_a_file()
    {
        var category = await shared.NewCategoryAsync();
        var problem = await (
            await category.UploadAsync([
                ("a.png", "no image"u8.ToArray()),
                ("b.bmp", Parts.Good(1)[..500]),
                ("c.webp", Parts.Animated()),
                ("d.png", []),
            ])
        ).ProblemAsync(400, "image_unreadable");
        Assert.Equal(
            [
                ("a.png", "image_unreadable"),
                ("b.bmp", "image_unreadable"),
                ("c.webp", "image_animated"),
                ("d.png", "empty_body"),
            ],
            problem.Items("errors").Select(error => (error.Text("fileName"), error.Text("code")))
        );
        Assert.Empty((await shared.Http.GetJsonAsync($"{category.Url}/images")).Items());
    }

    [Fact]
    public async Task A_field_of_another_name_is_named()
    {
        var category = await shared.NewCategoryAsync();
        var form = CategoryClient.Form(("files", "a.bmp", Parts.Good(1)), ("picture", "b.bmp", Parts.Good(2)));
        var answer = await (await shared.Http.PostAsync($"{category.Url}/images", form)).JsonAsync(200);
        Assert.Contains("'picture'", answer.Items("rejected").Single().Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_body_is_told_so()
    {
        var category = await shared.NewCategoryAsync();
        await (await category.UploadRawAsync([], "image/png")).ProblemAsync(400, "empty_body");
        await (
            await shared.Http.PostAsync(
                $"{category.Url}/images",
                CategoryClient.Raw("--b--\r\n"u8.ToArray(), "multipart/form-data; boundary=b")
            )
        ).ProblemAsync(400, "no_images");
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data")]
    [InlineData("multipart/form-data; boundary=")]
    [InlineData("nonsense")]
    [InlineData(null)]
    public async Task A_content_type_that_holds_no_image_is_told_what_is_read(string? mediaType)
    {
        var category = await shared.FittedAsync();
        foreach (var path in new[] { "images", "score", "score/batch" })
        {
            var content = new ByteArrayContent(Parts.Good(1));
            if (mediaType is not null)
                content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
            var problem = await (await shared.Http.PostAsync($"{category.Url}/{path}", content)).ProblemAsync(
                415,
                "unsupported_media_type"
            );
            Assert.Contains("multipart/form-data", problem.Text("detail"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("image/gif")]
    [InlineData("image/x-ms-bmp")]
    [InlineData("application/octet-stream")]
    public async Task What_an_image_is_its_bytes_decide(string mediaType)
    {
        var category = await shared.NewCategoryAsync();
        await (await category.UploadRawAsync(Parts.Encoded(5, "jpeg"), mediaType)).JsonAsync(200);
        Assert.Equal(
            "image/jpeg",
            (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items().Single().Text("mediaType")
        );
    }

    [Theory]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg'/>")]
    [InlineData("%PDF-1.7")]
    [InlineData("GIF89a")]
    [InlineData("<html>")]
    public async Task What_is_no_image_stays_none_whatever_it_is_called(string text)
    {
        var category = await shared.NewCategoryAsync();
        await (await category.UploadAsync([("photo.png", Encoding.ASCII.GetBytes(text))])).ProblemAsync(
            400,
            "image_unreadable"
        );
    }

    [Fact]
    public async Task Images_beyond_the_limits_are_refused_by_bytes_and_by_pixels()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("MaxImageBytes", 40_000),
            ("MaxPixels", 10_000),
            ("JobWorkers", 0)
        );
        var category = service.Category("small");
        await category.CreateAsync();
        Assert.Equal(
            "image_too_large",
            (
                await (await category.UploadRawAsync(Parts.Plain(200, 200), "image/bmp")).ProblemAsync(
                    400,
                    "image_too_large"
                )
            )
                .Items("errors")
                .Single()
                .Text("code")
        );
        Assert.Contains(
            "pixels",
            (
                await (await category.UploadRawAsync(Parts.Plain(101, 100), "image/bmp")).ProblemAsync(
                    400,
                    "image_too_large"
                )
            ).Text("detail"),
            StringComparison.Ordinal
        );
        // The header alone says so, long before the pixels would take any room.
        await (await category.UploadRawAsync(HugePng(60_000, 60_000), "image/png")).ProblemAsync(
            400,
            "image_too_large"
        );
        await category.UploadPartsAsync(0, 1);

        var mixed = await (
            await category.UploadAsync([("big.bmp", Parts.Plain(200, 200)), ("good.bmp", Parts.Good(1))])
        ).JsonAsync(200);
        Assert.Equal(
            ("good.bmp", "big.bmp"),
            (mixed.Items("accepted").Single().Text("fileName"), mixed.Items("rejected").Single().Text("fileName"))
        );
    }

    [Fact]
    public async Task Scoring_refuses_images_beyond_the_limits_with_413()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("MaxImageBytes", 40_000),
            ("MaxPixels", 10_000)
        );
        var category = service.Category("small");
        await category.CreateFittedAsync(2);
        await (await category.SendScoreAsync(Parts.Plain(101, 100))).ProblemAsync(413, "image_too_large");
        await (await category.SendScoreAsync(Parts.Plain(150, 100))).ProblemAsync(413, "image_too_large");
        await (await category.SendScoreAsync(new byte[300_000])).ProblemAsync(413, "image_too_large");
        await category.ScoreAsync(Parts.Good(1));
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpeg")]
    [InlineData("bmp")]
    [InlineData("tiff")]
    [InlineData("webp")]
    public async Task A_truncated_image_is_never_stored(string format)
    {
        var category = await shared.NewCategoryAsync();
        var whole = Parts.Encoded(9, format);
        foreach (var percent in new[] { 30, 60, 90 })
            await (
                await category.UploadRawAsync(whole[..(whole.Length * percent / 100)], $"image/{format}")
            ).ProblemAsync(400, "image_unreadable");
    }

    [Fact]
    public async Task A_form_that_breaks_off_is_the_clients_fault()
    {
        var category = await shared.FittedAsync();
        var form = await CategoryClient
            .Form(("files", "a.bmp", Parts.Good(1)), ("files", "b.bmp", Parts.Good(2)))
            .ReadAsByteArrayAsync();
        var boundary = Encoding.ASCII.GetString(form, 2, 36);
        foreach (var path in new[] { "images", "score/batch" })
        foreach (var length in new[] { 60, 2000, form.Length - 200 })
            await (
                await shared.Http.PostAsync(
                    $"{category.Url}/{path}",
                    CategoryClient.Raw(form[..length], $"multipart/form-data; boundary={boundary}")
                )
            ).ProblemAsync(400, "invalid_request");
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("..%2f..%2fpasswd")]
    [InlineData("C:\\Windows\\system.ini")]
    [InlineData("NUL")]
    [InlineData("con.png")]
    [InlineData("\u202egnp.exe")]
    [InlineData("\U0001F600.png")]
    [InlineData("-rf.png")]
    [InlineData("grüße 漢字.png")]
    public async Task Hostile_file_names_are_data(string name)
    {
        var category = await shared.NewCategoryAsync();
        var files = FilesUnder(shared);
        var accepted = (await (await category.UploadAsync([(name, Parts.Good(4000 + name.Length))])).JsonAsync(200))
            .Items("accepted")
            .Single();
        Assert.Equal(name, accepted.Text("fileName"));
        var image = (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items().Single();
        Assert.Equal(name, image.Text("fileName"));
        Assert.All(
            FilesUnder(shared).Except(files),
            path => Assert.Matches("(images/[0-9a-f]{2}/|/models/|/embeddings/|padim.db)", path)
        );

        var download = await shared.Http.GetAsync($"{category.Url}/images/{image.Text("id")}");
        Assert.Equal(200, (int)download.StatusCode);
        Assert.Equal("attachment", download.Content.Headers.ContentDisposition?.DispositionType);
        Assert.Equal(name, download.Content.Headers.ContentDisposition?.FileNameStar);
    }

    [Fact]
    public async Task A_long_file_name_is_cut_between_characters()
    {
        var category = await shared.NewCategoryAsync();
        var name = new string('x', 254) + "\U0001F600" + new string('y', 4096) + ".png";
        var accepted = (await (await category.UploadAsync([(name, Parts.Good(30))])).JsonAsync(200))
            .Items("accepted")
            .Single();
        Assert.Equal(new string('x', 254), accepted.Text("fileName"));
        Assert.Equal(
            new string('x', 254),
            (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items().Single().Text("fileName")
        );
    }

    [Fact]
    public async Task A_raw_image_gets_a_name_from_its_content()
    {
        var category = await shared.NewCategoryAsync();
        var accepted = (await (await category.UploadRawAsync(Parts.Encoded(31, "png"), "image/png")).JsonAsync(200))
            .Items("accepted")
            .Single();
        Assert.Equal($"{accepted.Text("sha256")[..12]}.png", accepted.Text("fileName"));
    }

    [Theory]
    [InlineData("png", "image/png")]
    [InlineData("bmp", "image/bmp")]
    [InlineData("pnm", "image/x-portable-anymap")]
    public async Task A_download_gives_the_original_bytes_and_lets_no_browser_guess(string format, string mediaType)
    {
        var category = await shared.NewCategoryAsync();
        var bytes = Parts.Encoded(40, format);
        var id = (await (await category.UploadRawAsync(bytes, "image/webp")).JsonAsync(200))
            .Items("accepted")
            .Single()
            .Text("id");
        var download = await shared.Http.GetAsync($"{category.Url}/images/{id}");
        Assert.Equal(bytes, await download.Content.ReadAsByteArrayAsync());
        Assert.Equal(mediaType, download.Content.Headers.ContentType?.MediaType);
        Assert.Equal("nosniff", download.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("attachment", download.Content.Headers.ContentDisposition?.DispositionType);

        var thumbnail = await shared.Http.GetAsync($"{category.Url}/images/{id}/thumbnail");
        Assert.Equal("image/jpeg", thumbnail.Content.Headers.ContentType?.MediaType);
        using var picture = NetVips.Image.NewFromBuffer(await thumbnail.Content.ReadAsByteArrayAsync());
        Assert.Equal((Parts.Side, Parts.Side), (picture.Width, picture.Height));
    }

    [Fact]
    public async Task Every_answer_lets_no_browser_guess()
    {
        var category = await shared.NewCategoryAsync();
        foreach (
            var response in new[]
            {
                await shared.Http.GetAsync(category.Url),
                await shared.Http.GetAsync("/nowhere"),
                await shared.Http.GetAsync($"{category.Url}/images?limit=x"),
                await shared.Http.PutAsync(category.Url, CategoryClient.Raw("{"u8.ToArray(), "application/json")),
            }
        )
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task An_image_of_another_category_is_not_found()
    {
        var mine = await shared.NewCategoryAsync();
        var other = await shared.NewCategoryAsync();
        var id = (await mine.UploadPartsAsync(0, 1)).Single();
        foreach (
            var path in new[]
            {
                $"{other.Url}/images/{id}",
                $"{other.Url}/images/{id}/thumbnail",
                $"{mine.Url}/images/0",
                $"{mine.Url}/images/..%2f..%2fpadim.db",
            }
        )
            await (await shared.Http.GetAsync(path)).ProblemAsync(404, "image_not_found");
        await (await shared.Http.DeleteAsync($"{other.Url}/images/{id}")).ProblemAsync(404, "image_not_found");
        Assert.Equal(204, (int)(await shared.Http.DeleteAsync($"{mine.Url}/images/{id}")).StatusCode);
        await (await shared.Http.DeleteAsync($"{mine.Url}/images/{id}")).ProblemAsync(404, "image_not_found");
        Assert.Empty((await shared.Http.GetJsonAsync($"{mine.Url}/images")).Items());
    }

    private static string[] FilesUnder(SharedService shared) =>
        Directory.GetFiles(shared.Service.Get<DataDirectory>().Root, "*", SearchOption.AllDirectories);

    /// <summary>A PNG that is hardly more than a header.</summary>
    private static byte[] HugePng(uint width, uint height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = 2;
        return
        [
            .. PngFile.Signature,
            .. PngFile.Chunk("IHDR", header),
            .. PngFile.Chunk("IDAT", [0x78, 0x9C, 1]),
            .. PngFile.Chunk("IEND", []),
        ];
    }
}
