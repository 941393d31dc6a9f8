using System.IO.Compression;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Bodies that are packed for the way.</summary>
public sealed class CompressedBodyTests(SharedService shared)
{
    public static TheoryData<string> Codings { get; } = ["gzip", "x-gzip", "GZIP", "br", "deflate", "identity"];

    [Theory]
    [MemberData(nameof(Codings))]
    public async Task Json_files_and_forms_are_read_as_if_they_had_not_been_packed(string coding)
    {
        var category = await shared.FittedAsync();
        var expected = (await category.ScoreAsync(Parts.Bad(77))).Number("score");
        var form = await FormAsync(("files", "a.bmp", Parts.Bad(77)));
        foreach (
            var (path, content, type) in new[]
            {
                ("score", Parts.Bad(77), "image/bmp"),
                ("score", form.Bytes, form.Type),
                ("score?width=1&height=1&format=rgb24", new byte[3], "application/octet-stream"),
            }
        )
        {
            var score = await (await PostAsync($"{category.Url}/{path}", content, type, coding)).JsonAsync(200);
            if (!path.Contains("width", StringComparison.Ordinal))
                Assert.Equal(expected, score.Number("score"));
        }
        var batch = await (await PostAsync($"{category.Url}/score/batch", form.Bytes, form.Type, coding)).JsonAsync(
            200
        );
        Assert.Equal(expected, batch.Items("results").Single()["result"]!.Number("score"));

        var other = await shared.NewCategoryAsync();
        using var put = Request(
            HttpMethod.Put,
            other.Url,
            """{"imageSize":96}"""u8.ToArray(),
            "application/json",
            coding
        );
        Assert.Equal(96, (await (await shared.Http.SendAsync(put)).JsonAsync(200)).Number("imageSize"));
        await (await PostAsync($"{other.Url}/images", form.Bytes, form.Type, coding)).JsonAsync(200);
        var model = await shared.Http.GetByteArrayAsync($"{category.Url}/models/1/export");
        await (await PostAsync($"{other.Url}/models/import", model, "application/octet-stream", coding)).JsonAsync(201);
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("compress")]
    [InlineData("gzip, br")]
    [InlineData("gzip, gzip")]
    public async Task A_coding_that_is_not_read_is_told_those_that_are(string coding)
    {
        var category = await shared.NewCategoryAsync();
        foreach (var (path, type) in new[] { ("images", "image/bmp"), ("fits", "application/json") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/{path}")
            {
                Content = CategoryClient.Raw(Parts.Good(1), type),
            };
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
            using var answer = await shared.Http.SendAsync(request);
            await answer.ProblemAsync(415, "unsupported_encoding");
            Assert.Equal("gzip, br, deflate", string.Join(", ", answer.Headers.GetValues("Accept-Encoding")));
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_packed_body_that_is_damaged_is_the_clients_fault(string coding)
    {
        var category = await shared.FittedAsync();
        var form = await FormAsync(("files", "a.bmp", Parts.Good(1)), ("files", "b.bmp", Parts.Good(2)));
        foreach (
            var (path, content, type) in new[]
            {
                ("score", Parts.Good(1), "image/bmp"),
                ("score", form.Bytes, form.Type),
                ("score/batch", form.Bytes, form.Type),
                ("images", form.Bytes, form.Type),
                ("models/import", Parts.Good(1), "application/octet-stream"),
                ("threshold/preview", """{"falseRejectRate": 0.05}"""u8.ToArray(), "application/json"),
            }
        )
        {
            var problem = await (await SendAsync(content)).ProblemAsync(400, "invalid_request");
            Assert.Contains($"cannot be unpacked with {coding}", problem.Text("detail"), StringComparison.Ordinal);
            // Not every packed body shows that it was cut short; what it holds does.
            using var cut = await SendAsync(Pack(content, coding)[..^12]);
            await cut.AnyProblemAsync();
            Assert.InRange((int)cut.StatusCode, 400, 499);

            async Task<HttpResponseMessage> SendAsync(byte[] bytes)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/{path}")
                {
                    Content = CategoryClient.Raw(bytes, type),
                };
                request.Content.Headers.ContentEncoding.Add(coding);
                return await shared.Http.SendAsync(request);
            }
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_little_that_becomes_much_is_refused_as_much_is(string coding)
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("MaxImageBytes", 100_000),
            ("MaxUploadBytes", 1_000_000)
        );
        var category = service.Category("part");
        await category.CreateFittedAsync(2);
        var zeros = new byte[8 << 20];
        "BM"u8.CopyTo(zeros);
        var form = await FormAsync(("files", "a.bmp", Parts.Good(1)), ("files", "b.bmp", zeros));
        var one = await FormAsync(("files", "b.bmp", zeros));
        var spaces = System.Text.Encoding.ASCII.GetBytes(new string(' ', 31_000_000));
        foreach (
            var (path, content, type, code) in new[]
            {
                ("score", zeros, "image/bmp", "image_too_large"),
                ("score", one.Bytes, one.Type, "image_too_large"),
                ("score?width=8&height=8&format=gray8", one.Bytes, one.Type, "pixels_length_mismatch"),
                ("score/batch", form.Bytes, form.Type, "body_too_large"),
                ("images", form.Bytes, form.Type, "body_too_large"),
                ("models/import", zeros, "application/octet-stream", "body_too_large"),
                ("threshold/preview", spaces, "application/json", "body_too_large"),
            }
        )
        {
            using var request = Request(HttpMethod.Post, $"{category.Url}/{path}", content, type, coding);
            var problem = await (await service.Http.SendAsync(request)).AnyProblemAsync();
            Assert.Equal((path, code), (path, problem.Text("code")));
        }
    }

    private Task<HttpResponseMessage> PostAsync(string url, byte[] content, string type, string coding) =>
        shared.Http.SendAsync(Request(HttpMethod.Post, url, content, type, coding));

    private static HttpRequestMessage Request(HttpMethod method, string url, byte[] content, string type, string coding)
    {
        var request = new HttpRequestMessage(method, url) { Content = CategoryClient.Raw(Pack(content, coding), type) };
        request.Content.Headers.ContentEncoding.Add(coding);
        return request;
    }

    private static byte[] Pack(byte[] content, string coding)
    {
        var packed = new MemoryStream();
        using (
            Stream packing = coding switch
            {
                "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
                "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
                "identity" => packed,
                _ => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            }
        )
            packing.Write(content);
        return packed.ToArray();
    }

    private static async Task<(byte[] Bytes, string Type)> FormAsync(
        params (string Field, string Name, byte[] Bytes)[] files
    )
    {
        using var form = CategoryClient.Form(files);
        return (await form.ReadAsByteArrayAsync(), form.Headers.ContentType!.ToString());
    }
}
