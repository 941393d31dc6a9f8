using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Microsoft.Data.Sqlite;
using PaDiM.Service.Data;
using PaDiM.Service.Models;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Corners where one feature meets another.</summary>
public sealed class EdgeTests(SharedService shared)
{
    [Fact]
    public async Task The_papers_profile_crops_whether_or_not_its_image_size_is_spelt_out()
    {
        var category = await shared.NewCategoryAsync();
        foreach (var body in new object[] { new { profile = "paper" }, new { profile = "paper", imageSize = 256 } })
            Assert.Equal(
                224,
                (await (await shared.Http.PutAsJsonAsync(category.Url, body)).JsonAsync(200))[
                    "cropSize"
                ]!.GetValue<int>()
            );
    }

    [Theory]
    [InlineData("""{"profile":"papper"}""", "expected one of default, paper")]
    [InlineData("""{"reduction":{"method":"pca"}}""", "expected one of semi-orthogonal, random, none")]
    [InlineData("""{"imageSize":"large"}""", "expected a whole number")]
    [InlineData("""{"pinned":"yes"}""", "expected true or false")]
    public async Task A_value_of_the_wrong_kind_is_told_what_it_can_be(string body, string told)
    {
        var category = await shared.NewCategoryAsync();
        var problem = await (
            await shared.Http.PutAsync(category.Url, new StringContent(body, null, "application/json"))
        ).ProblemAsync(400, "invalid_request");
        Assert.Contains(told, problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_image_is_called_by_the_name_of_its_format_and_by_nothing_of_a_library()
    {
        var category = await shared.NewCategoryAsync();
        using var black = NetVips.Image.Black(64, 64);
        foreach (
            var (name, bytes) in new[]
            {
                ("JPEG", black.JpegsaveBuffer()),
                ("PNG", black.PngsaveBuffer()),
                ("TIFF", black.TiffsaveBuffer()),
                ("WebP", black.WebpsaveBuffer()),
                ("BMP", Parts.Plain(64, 64)),
            }
        )
        {
            foreach (var length in new[] { bytes.Length / 2, bytes.Length - 8, 60 })
            {
                var answer = await category.UploadRawAsync(bytes[..length], "image/png");
                if (answer.IsSuccessStatusCode)
                    continue;
                var text = (await answer.AnyProblemAsync()).ToJsonString();
                Assert.Contains($"The {name} image cannot be decoded", text, StringComparison.Ordinal);
                Assert.DoesNotMatch("(?i)vips|libpng|spng|libtiff|tiff2|load_source|webpload", text);
            }
        }
    }

    [Fact]
    public async Task An_image_whose_beginning_is_refused_is_answered_before_the_rest_has_come()
    {
        var category = await shared.NewCategoryAsync();
        using var black = NetVips.Image.Black(8200, 8200);
        foreach (
            var (beginning, code) in new[]
            {
                (black.PngsaveBuffer()[..200], "image_too_large"),
                ((byte[])[.. "II*\0"u8, 8, 0, 0, 0, 0, 0, 8, 0, 0, 0, .. new byte[100]], "image_animated"),
            }
        )
        {
            using var client = new TcpClient("127.0.0.1", shared.Http.BaseAddress!.Port);
            await client
                .GetStream()
                .WriteAsync(
                    Encoding.ASCII.GetBytes(
                        $"POST {category.Url}/images HTTP/1.1\r\nHost: localhost\r\n"
                            + "Content-Type: image/png\r\nContent-Length: 10000000\r\n\r\n"
                    )
                );
            // In pieces, as a slow sender's come.
            foreach (var piece in beginning.Chunk(30))
            {
                await client.GetStream().WriteAsync(piece);
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
            // All of the upload that there is is bad: 400, with the file's own code.
            var answer = "";
            for (var bytes = new byte[4096]; !answer.Contains(code, StringComparison.Ordinal); )
            {
                var read = await client.GetStream().ReadAsync(bytes).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
                Assert.True(read > 0, answer);
                answer += Encoding.ASCII.GetString(bytes, 0, read);
            }
            Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_rate_that_would_switch_review_off_is_refused_by_put_and_by_patch()
    {
        var category = await shared.NewCategoryAsync();
        await (await shared.Http.PutAsJsonAsync(category.Url, new { reviewRate = 0.2 })).JsonAsync(200);
        await (await category.PatchThresholdAsync(new { falseRejectRate = 0.2 })).ProblemAsync(422, "invalid_settings");
        await (await category.PatchThresholdAsync(new { falseRejectRate = 0.1 })).JsonAsync(200);
    }

    [Fact]
    public async Task A_fit_that_no_memory_could_hold_is_refused_with_its_settings()
    {
        var category = await shared.NewCategoryAsync();
        var problem = await (
            await shared.Http.PutAsJsonAsync(
                category.Url,
                new { imageSize = 2048, reduction = new { method = "none" } }
            )
        ).ProblemAsync(422, "invalid_settings");
        Assert.Contains("GiB of memory", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retry_with_its_key_gets_the_same_job_even_when_the_images_have_gone_since()
    {
        var category = await shared.NewCategoryAsync();
        var images = await category.UploadPartsAsync(0, 2);
        using var first = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/fits")
        {
            Headers = { { "Idempotency-Key", "k" } },
        };
        var job = (await (await shared.Http.SendAsync(first)).JsonAsync(202)).Text("id");
        await shared.Http.DeleteAsync($"{category.Url}/images/{images[0]}");
        using var again = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/fits")
        {
            Headers = { { "Idempotency-Key", "k" } },
        };
        Assert.Equal(job, (await (await shared.Http.SendAsync(again)).JsonAsync(202)).Text("id"));
    }

    [Fact]
    public async Task A_damaged_image_is_mended_by_uploading_it_again()
    {
        var category = await shared.NewCategoryAsync();
        var bytes = Parts.Good(4711);
        var id = (await (await category.UploadRawAsync(bytes, "image/bmp")).JsonAsync(200))
            .Items("accepted")
            .Single()
            .Text("id");
        var blobs = shared.Service.Get<BlobStore>();
        File.WriteAllBytes(shared.Service.GetBlobPath(await blobs.PutAsync(bytes, default)), bytes[..100]);
        await (await shared.Http.GetAsync($"{category.Url}/images/{id}")).ProblemAsync(503, "image_damaged");
        await (await category.UploadRawAsync(bytes, "image/bmp")).JsonAsync(200);
        Assert.Equal(bytes, await shared.Http.GetByteArrayAsync($"{category.Url}/images/{id}"));
    }

    [Fact]
    public async Task Two_images_of_one_name_get_no_mask_rather_than_the_wrong_one()
    {
        var category = await shared.NewCategoryAsync();
        var mask = Parts.Plain(Parts.Side, Parts.Side, 255);
        var answer = await (
            await category.UploadAsync(
                [("1.bmp", Parts.Bad(20)), ("1.bmp", Parts.Bad(21))],
                "?label=anomalous",
                [("1_mask.png", mask)]
            )
        ).JsonAsync(200);
        Assert.All(answer.Items("accepted"), image => Assert.False(image["hasMask"]!.GetValue<bool>()));
        Assert.Equal("mask_mismatch", answer.Items("rejected").Single().Text("code"));

        var renamed = await (
            await category.UploadAsync([("other.bmp", Parts.Bad(20))], "?label=anomalous", [("other_mask.png", mask)])
        ).JsonAsync(200);
        Assert.True(renamed.Items("accepted").Single()["hasMask"]!.GetValue<bool>());
    }

    [Fact]
    public async Task A_form_with_two_images_or_a_text_field_is_not_scored()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 2);
        await category.FitAsync();
        using var two = CategoryClient.Form(("files", "a.bmp", Parts.Good(1)), ("files", "b.bmp", Parts.Good(2)));
        await (await shared.Http.PostAsync($"{category.Url}/score", two)).ProblemAsync(413, "too_many_files");
        foreach (var route in new[] { "score", "score/batch" })
        {
            using var text = new MultipartFormDataContent { { new StringContent("hello"), "note" } };
            await (await shared.Http.PostAsync($"{category.Url}/{route}", text)).ProblemAsync(400, "invalid_request");
        }
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("AAAA")]
    [InlineData("%00")]
    public async Task A_cursor_that_no_page_gave_is_refused(string cursor)
    {
        foreach (var list in new[] { "/v1/categories", "/v1/jobs" })
            await (await shared.Http.GetAsync($"{list}?cursor={cursor}")).ProblemAsync(400, "invalid_request");
    }

    [Theory]
    [InlineData("{\"backbon\":\"tiny\"}", "'backbon' is not a known property")]
    [InlineData("{\"imageSize\":256.5}", "'imageSize'")]
    [InlineData("{\"profile\":\"foo\"}", "'profile'")]
    [InlineData("{\"imageSize\":256,}", "not valid JSON")]
    [InlineData("[]", "must be an object")]
    public async Task A_bad_body_is_explained_without_the_names_of_types(string body, string words)
    {
        var category = await shared.NewCategoryAsync();
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var detail = (
            await (await shared.Http.PutAsync(category.Url, content)).ProblemAsync(400, "invalid_request")
        ).Text("detail");
        Assert.Contains(words, detail, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("PaDiM.", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_without_what_is_required_is_told_what_it_lacks()
    {
        var category = await shared.NewCategoryAsync();
        using var content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        var answer = await shared.Http.PutAsync($"{category.Url}/shadow", content);
        Assert.Contains(
            "lacks 'version'",
            (await answer.ProblemAsync(400, "invalid_request")).Text("detail"),
            StringComparison.Ordinal
        );
    }
}

/// <summary>The same, where a data directory of its own is needed.</summary>
public sealed class EdgeRestartTests
{
    [Fact]
    public async Task A_lock_that_a_killed_upgrade_left_behind_holds_up_no_start()
    {
        using var data = new TempDirectory();
        await using (var connection = new SqliteConnection($"Data Source={data.Combine("padim.db")};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText =
                "CREATE TABLE \"__EFMigrationsLock\" (\"Id\" INTEGER NOT NULL PRIMARY KEY, \"Timestamp\" TEXT NOT "
                + "NULL); INSERT INTO \"__EFMigrationsLock\" VALUES (1, '2020-01-01 00:00:00')";
            await command.ExecuteNonQueryAsync();
        }
        await using var service = await RunningService.StartAsync(data.Path).WaitAsync(TimeSpan.FromSeconds(60));
        await service.Category("fresh").CreateAsync();
    }

    [Fact]
    public async Task Models_beyond_the_budget_leave_memory_and_come_back_when_asked()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("ModelCacheBytes", 1 << 20));
        foreach (var name in new[] { "a", "b" })
        {
            await service.Category(name).CreateAsync();
            await service.Category(name).UploadPartsAsync(0, 3);
            await service.Category(name).FitAsync();
        }
        var first = await service.Category("a").ScoreAsync(Parts.Good(1));
        var held = service.Get<ModelCache>().Bytes;
        await service.Category("b").ScoreAsync(Parts.Good(1));
        Assert.InRange(service.Get<ModelCache>().Bytes, 1, Math.Max(held, 1 << 20));
        Assert.Equal(
            first.Number("score"),
            (await service.Category("a").ScoreAsync(Parts.Good(1))).Number("score"),
            1e-4
        );
    }

    [Fact]
    public async Task A_name_that_is_used_again_does_not_score_with_the_old_model_on_another_replica()
    {
        using var data = new TempDirectory();
        await using var one = await RunningService.StartAsync(data.Path);
        await using var other = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await one.Category("part").CreateAsync();
        await one.Category("part").UploadPartsAsync(0, 2);
        await one.Category("part").FitAsync();
        await other.Category("part").ScoreAsync(Parts.Good(1));
        await one.Http.DeleteAsync("/v1/categories/part");
        await one.Category("part").CreateAsync();
        await Eventually.TrueAsync(
            async () => (int)(await other.Category("part").SendScoreAsync(Parts.Good(1))).StatusCode == 409,
            () => "The old model still scores."
        );
    }
}
