using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Downloads that clients keep, ask about again, and continue.</summary>
public sealed class StoredFileTests(SharedService shared)
{
    public static TheoryData<string> Files { get; } =
    ["images/{image}", "ignore-mask", "models/1/export", "models/1/export?format=onnx"];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_that_the_client_has_is_not_sent_again(string file)
    {
        var url = await UrlAsync(file);
        using var whole = await GetAsync(url);
        var tag = whole.Headers.ETag!;
        Assert.False(tag.IsWeak);
        var bytes = await whole.Content.ReadAsByteArrayAsync();
        Assert.NotEmpty(bytes);
        if (!file.EndsWith("onnx", StringComparison.Ordinal))
            Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))}\"", tag.Tag);

        foreach (var known in new[] { tag.Tag, $"W/{tag.Tag}", $"\"other\", {tag.Tag}", "*" })
        {
            using var same = await GetAsync(url, ("If-None-Match", known));
            Assert.Equal((known, HttpStatusCode.NotModified), (known, same.StatusCode));
            Assert.Equal(tag, same.Headers.ETag);
            Assert.Empty(await same.Content.ReadAsByteArrayAsync());
            Assert.Equal(whole.Headers.CacheControl, same.Headers.CacheControl);
        }
        using var other = await GetAsync(url, ("If-None-Match", "\"other\""));
        Assert.Equal(bytes, await other.Content.ReadAsByteArrayAsync());
        using var changed = await GetAsync(url, ("If-Match", "\"other\""));
        await changed.ProblemAsync(412, "precondition_failed");
        Assert.True(changed.Headers.CacheControl!.NoStore);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_download_is_continued_where_it_broke_off(string file)
    {
        var url = await UrlAsync(file);
        using var whole = await GetAsync(url);
        var bytes = await whole.Content.ReadAsByteArrayAsync();
        var tag = whole.Headers.ETag!.Tag;
        Assert.Equal("bytes", whole.Headers.AcceptRanges.Single());
        foreach (
            var (range, from, to) in new[]
            {
                ("bytes=0-0", 0, 1),
                ("bytes=0-99", 0, 100),
                ($"bytes={bytes.Length / 2}-", bytes.Length / 2, bytes.Length),
                ("bytes=-10", bytes.Length - 10, bytes.Length),
                ($"bytes=100-{bytes.Length + 5}", 100, bytes.Length),
            }
        )
        {
            using var part = await GetAsync(url, ("Range", range), ("If-Range", tag));
            Assert.Equal((range, HttpStatusCode.PartialContent), (range, part.StatusCode));
            Assert.Equal(new ContentRangeHeaderValue(from, to - 1, bytes.Length), part.Content.Headers.ContentRange);
            Assert.Equal(bytes[from..to], await part.Content.ReadAsByteArrayAsync());
        }
        // The whole file: it has changed, several parts, no range at all.
        foreach (
            var (range, ifRange) in new[]
            {
                ("bytes=5-", "\"other\""),
                ("bytes=5-", $"W/{tag}"),
                ("bytes=5-", "Mon, 30 Nov 2026 02:00:00 GMT"),
                ("bytes=5-", "unquoted"),
                ("bytes=0-1,5-6", tag),
                ("lines=1-2", tag),
            }
        )
        {
            using var all = await GetAsync(url, ("Range", range), ("If-Range", ifRange));
            Assert.Equal((range, HttpStatusCode.OK), (range, all.StatusCode));
            Assert.Equal(bytes, await all.Content.ReadAsByteArrayAsync());
        }
        using var behind = await GetAsync(url, ("Range", $"bytes={bytes.Length}-"));
        await behind.ProblemAsync(416, "range_not_satisfiable");
        Assert.Equal(bytes.Length, behind.Content.Headers.ContentRange!.Length);
        Assert.False(behind.Content.Headers.Contains("Content-Disposition"));
        Assert.True(behind.Headers.CacheControl!.NoStore);

        using var head = new HttpRequestMessage(HttpMethod.Head, url) { Headers = { { "Range", "bytes=2-5" } } };
        using var answered = await shared.Http.SendAsync(head);
        Assert.Equal((HttpStatusCode.PartialContent, 4), (answered.StatusCode, answered.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task A_thumbnail_is_not_made_for_a_client_that_has_it()
    {
        var url = await UrlAsync("images/{image}/thumbnail");
        using var whole = await GetAsync(url);
        var tag = whole.Headers.ETag!;
        Assert.True(tag.IsWeak);
        using var same = await GetAsync(url, ("If-None-Match", tag.ToString()));
        Assert.Equal((HttpStatusCode.NotModified, tag), (same.StatusCode, same.Headers.ETag));
        Assert.Equal(whole.Headers.CacheControl, same.Headers.CacheControl);
        using var other = await GetAsync(url, ("If-None-Match", "\"other\""));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task An_onnx_file_with_another_threshold_is_another_file()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 4);
        await category.FitAsync();
        var url = $"{category.Url}/models/1/export?format=onnx";
        using var before = await GetAsync(url);
        await (await category.PatchThresholdAsync(new { threshold = 3.25 })).JsonAsync(200);
        using var after = await GetAsync(url, ("If-None-Match", before.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.NotEqual(before.Headers.ETag, after.Headers.ETag);
    }

    private async Task<string> UrlAsync(string file)
    {
        var category = await shared.FittedAsync();
        var image = (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items()[0].Text("id");
        if (file == "ignore-mask")
            (
                await shared.Http.PutAsync(
                    $"{category.Url}/{file}",
                    CategoryClient.Raw(Parts.Square(0, 0, 10), "image/bmp")
                )
            ).EnsureSuccessStatusCode();
        return $"{category.Url}/{file.Replace("{image}", image, StringComparison.Ordinal)}";
    }

    private async Task<HttpResponseMessage> GetAsync(string url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await shared.Http.SendAsync(request);
    }
}
