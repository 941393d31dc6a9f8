using System.Net.Http.Json;
using System.Text;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Forms as HTTP libraries and people write them.</summary>
public sealed class FormTests(SharedService shared)
{
    private const string Ignored = "X-Padim-Ignored-Fields";

    [Theory]
    [InlineData("files")]
    [InlineData("file")]
    [InlineData("image")]
    [InlineData("files[]")]
    [InlineData("Image")]
    public async Task A_field_with_files_has_the_same_names_everywhere(string field)
    {
        var category = await shared.FittedAsync();
        var other = await shared.NewCategoryAsync();
        var expected = (await category.ScoreAsync(Parts.Bad(5))).Number("score");
        var score = await (await PostAsync($"{category.Url}/score", (field, "a.bmp", Parts.Bad(5)))).JsonAsync(200);
        Assert.Equal(expected, score.Number("score"));
        var batch = await (await PostAsync($"{category.Url}/score/batch", (field, "a.bmp", Parts.Bad(5)))).JsonAsync(
            200
        );
        Assert.Equal(expected, batch.Items("results").Single()["result"]!.Number("score"));
        await (
            await PostAsync(
                $"{other.Url}/images?label=anomalous",
                (field, "a.bmp", Parts.Bad(5)),
                ("mask", "a.png", Parts.Plain(Parts.Side, Parts.Side, 255))
            )
        ).JsonAsync(200);
        Assert.True(
            (await shared.Http.GetJsonAsync($"{other.Url}/images")).Items().Single()["hasMask"]!.GetValue<bool>()
        );
        var mask = CategoryClient.Form((field, "mask.bmp", Parts.Square(0, 0, 10)));
        await (await shared.Http.PutAsync($"{other.Url}/ignore-mask", mask)).JsonAsync(200);
        var model = await shared.Http.GetByteArrayAsync($"{category.Url}/models/1/export");
        await (await PostAsync($"{other.Url}/models/import", (field, "m.safetensors", model))).JsonAsync(201);
    }

    [Fact]
    public async Task A_field_of_another_name_is_told_the_names()
    {
        var category = await shared.FittedAsync();
        foreach (var path in new[] { "score", "score/batch", "images", "models/import" })
        {
            var detail = (
                await (await PostAsync($"{category.Url}/{path}", ("photo", "a.bmp", Parts.Good(1)))).ProblemAsync(
                    400,
                    "invalid_request"
                )
            ).Text("detail");
            foreach (var name in new[] { "'photo'", "'files'", "'file'", "'image'" })
                Assert.Contains(name, detail, StringComparison.Ordinal);
        }
        await (
            await shared.Http.PutAsync(
                $"{category.Url}/ignore-mask",
                CategoryClient.Form(("photo", "mask.bmp", Parts.Square(0, 0, 10)))
            )
        ).ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task A_part_is_named_in_the_form_or_in_the_header_which_wins()
    {
        var category = await shared.FittedAsync();
        foreach (var header in new[] { null, "SN-2" })
        foreach (var first in new[] { true, false })
        {
            var form = new MultipartFormDataContent();
            if (first)
                form.Add(new StringContent("SN-1"), "partId");
            form.Add(new ByteArrayContent(Parts.Good(1)), "file", "a.bmp");
            if (!first)
                form.Add(new StringContent("SN-1"), "partID");
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/score") { Content = form };
            if (header is not null)
                request.Headers.Add("X-Part-Id", header);
            using var answer = await shared.Http.SendAsync(request);
            await answer.JsonAsync(200);
            Assert.Equal(header ?? "SN-1", answer.Headers.GetValues("X-Part-Id").Single());
            Assert.False(answer.Headers.Contains(Ignored));
        }
    }

    [Theory]
    [InlineData("score")]
    [InlineData("score/batch")]
    [InlineData("images")]
    public async Task Other_text_beside_the_files_is_ignored_and_named(string path)
    {
        var category = path == "images" ? await shared.NewCategoryAsync() : await shared.FittedAsync();
        using var form = CategoryClient.Form(("files", "a.bmp", Parts.Good(1)));
        form.Add(new StringContent("left"), "camera");
        form.Add(new StringContent("x"), "line\t\u00e9");
        form.Add(new StringContent("flange"), "category");
        using var answer = await shared.Http.PostAsync($"{category.Url}/{path}", form);
        var result = await answer.JsonAsync(200);
        var names = answer.Headers.GetValues(Ignored).Single();
        Assert.StartsWith("camera, ", names, StringComparison.Ordinal);
        if (path == "images")
            return;
        var score = path == "score" ? result : result.Items("results").Single()["result"]!;
        var warning = Assert.Single(score.Items("warnings"));
        Assert.Equal("field_ignored", warning.Text("code"));
        Assert.Contains(names, warning.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_field_that_is_ignored_is_a_warning_of_pictures_too_and_refuses_nothing()
    {
        var category = await shared.FittedAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/score");
        using var form = CategoryClient.Form(("files", "a.bmp", Parts.Good(1)));
        form.Add(new StringContent("left"), "camera");
        request.Content = form;
        request.Headers.Accept.ParseAdd("image/png");
        using var picture = await shared.Http.SendAsync(request);
        Assert.Equal("field_ignored", picture.Headers.GetValues("X-Padim-Warnings").Single());
        await (
            await shared.Http.PutAsJsonAsync(category.Url, new { refuseOn = new[] { "field_ignored" } })
        ).ProblemAsync(422, "invalid_settings");
    }

    [Fact]
    public async Task A_label_in_the_form_is_refused_and_nothing_is_stored_without_it()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 1);
        foreach (var first in new[] { true, false })
        {
            using var form = new MultipartFormDataContent();
            if (first)
                form.Add(new StringContent("anomalous"), "label");
            form.Add(new ByteArrayContent(Parts.Good(0)), "files", "old.bmp");
            form.Add(new ByteArrayContent(Parts.Bad(1)), "files", "new.bmp");
            if (!first)
                form.Add(new StringContent("dent"), "defect");
            var problem = await (await shared.Http.PostAsync($"{category.Url}/images", form)).ProblemAsync(
                400,
                "invalid_request"
            );
            Assert.Contains("in the query: ?", problem.Text("detail"), StringComparison.Ordinal);
            Assert.Single((await shared.Http.GetJsonAsync($"{category.Url}/images")).Items());
        }
        var fitted = await shared.FittedAsync();
        using var version = CategoryClient.Form(("files", "a.bmp", Parts.Good(1)));
        version.Add(new StringContent("7"), "model");
        await (await shared.Http.PostAsync($"{fitted.Url}/score", version)).ProblemAsync(400, "invalid_request");
    }

    [Theory]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.png\"\r\n\r\nabc", "ends before")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"files\"; file", "ends before")]
    [InlineData("--c\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nabc\r\n--c--\r\n", "another boundary")]
    [InlineData("no form at all", "another boundary")]
    [InlineData("", "ends before")]
    [InlineData("--b\r\nnonsense\r\n\r\nabc\r\n--b--\r\n", "headers of the first part cannot be read")]
    [InlineData("--b\r\nContent-Type: image/png\r\n\r\nabc\r\n--b--\r\n", "no field name")]
    [InlineData("--b\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--b--\r\n", "no field name")]
    public async Task A_form_that_cannot_be_read_is_told_why_in_words_of_this_service(string body, string told)
    {
        var category = await shared.FittedAsync();
        foreach (var path in new[] { "score", "score/batch", "images", "models/import" })
        {
            var problem = await (
                await shared.Http.PostAsync(
                    $"{category.Url}/{path}",
                    CategoryClient.Raw(Encoding.ASCII.GetBytes(body), "multipart/form-data; boundary=b")
                )
            ).ProblemAsync(400, "invalid_request");
            Assert.Contains(told, problem.Text("detail"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Headers_and_texts_of_a_form_have_limits()
    {
        var category = await shared.FittedAsync();
        foreach (
            var (part, told) in new[]
            {
                ($"Content-Disposition: form-data; name=\"{new string('x', 20_000)}\"\r\n\r\nabc", "16 KiB"),
                (string.Concat(Enumerable.Range(0, 20).Select(i => $"X-{i}: 1\r\n")) + "\r\nabc", "16 of them"),
                ($"Content-Disposition: form-data; name=\"note\"\r\n\r\n{new string('x', 5000)}", "longer than 4096"),
            }
        )
        {
            var body = $"--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nabc\r\n--b\r\n{part}\r\n--b--\r\n";
            var problem = await (
                await shared.Http.PostAsync(
                    $"{category.Url}/score",
                    CategoryClient.Raw(Encoding.ASCII.GetBytes(body), "multipart/form-data; boundary=b")
                )
            ).ProblemAsync(400, "invalid_request");
            Assert.Contains(told, problem.Text("detail"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_form_without_a_boundary_is_told_what_is_missing()
    {
        var category = await shared.FittedAsync();
        foreach (var path in new[] { "score", "score/batch", "images", "models/import" })
            Assert.Contains(
                "with the boundary",
                (
                    await (
                        await shared.Http.PostAsync(
                            $"{category.Url}/{path}",
                            CategoryClient.Raw("--b--"u8.ToArray(), "multipart/form-data")
                        )
                    ).ProblemAsync(415, "unsupported_media_type")
                ).Text("detail"),
                StringComparison.Ordinal
            );
    }

    private Task<HttpResponseMessage> PostAsync(string url, params (string Field, string Name, byte[] Bytes)[] files) =>
        shared.Http.PostAsync(url, CategoryClient.Form(files));
}
