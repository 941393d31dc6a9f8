using System.Text;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials;

/// <summary>
/// Files that are two things at once, or not what they say: the first bytes and a decoder decide, and nothing else.
/// </summary>
public sealed class S04_Polyglots
{
    private const string Script = "<html><script>alert(1)</script></html>";

    private static readonly byte[] Zip =
    [
        .. "PK\u0003\u0004"u8,
        .. new byte[26],
        .. "PK\u0005\u0006"u8,
        .. new byte[18],
    ];

    [Fact]
    public async Task What_is_an_image_is_served_as_that_image_and_as_nothing_else()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("part");
        await category.CreateAsync();
        var comment = Encoding.Latin1.GetBytes(Script);
        // Each shows another part: equal pixels would be duplicates.
        byte[] page = Parts.Encoded(1, "jpeg"),
            phar = Parts.Encoded(2, "jpeg");
        (string Name, byte[] Bytes, string Type)[] files =
        [
            (
                "page.html",
                [.. page[..2], 0xFF, 0xFE, 0, (byte)(comment.Length + 2), .. comment, .. page[2..]],
                "image/jpeg"
            ),
            (
                "archive.phar",
                [.. phar[..2], 0xFF, 0xFE, 0, 31, .. "<?php __HALT_COMPILER(); ?>\r\n"u8, .. phar[2..], .. Zip],
                "image/jpeg"
            ),
            ("archive.zip", [.. Parts.Encoded(3, "png"), .. Zip], "image/png"),
            ("script.svg", [.. Parts.Encoded(4, "png"), .. comment], "image/png"),
            ("photo.gif", Parts.Good(5), "image/bmp"),
            ("picture.png", ImageFixtures.Read("portable.png"), "image/x-portable-anymap"),
            ("scan.jpg", ImageFixtures.Read("jpeg.tif"), "image/tiff"),
        ];
        foreach (var (name, bytes, type) in files)
        foreach (var lie in new[] { "text/html", "image/svg+xml", "application/pdf", null })
        {
            using var form = new MultipartFormDataContent();
            var part = new ByteArrayContent(bytes);
            if (lie is not null)
                part.Headers.TryAddWithoutValidation("Content-Type", lie);
            form.Add(part, "files", name);
            var id = (await (await service.Http.PostAsync($"{category.Url}/images", form)).JsonAsync(200))
                .Items("accepted")
                .Single()
                .Text("id");
            using var served = await service.Http.GetAsync($"{category.Url}/images/{id}");
            Assert.Equal(type, served.Content.Headers.ContentType?.ToString());
            Assert.Equal("attachment", served.Content.Headers.ContentDisposition?.DispositionType);
            Assert.Equal(["nosniff"], served.Headers.GetValues("X-Content-Type-Options"));
            Assert.Equal(bytes, await served.Content.ReadAsByteArrayAsync());
            using var thumbnail = await service.Http.GetAsync($"{category.Url}/images/{id}/thumbnail");
            Assert.Equal("image/jpeg", thumbnail.Content.Headers.ContentType?.ToString());
            Assert.DoesNotContain(
                "script",
                Encoding.Latin1.GetString(await thumbnail.Content.ReadAsByteArrayAsync()),
                StringComparison.Ordinal
            );
        }

        (
            await service.Http.PutAsync(
                $"{category.Url}/ignore-mask",
                CategoryClient.Raw([.. Parts.BadMask(), .. comment], "image/png")
            )
        ).EnsureSuccessStatusCode();
        using var mask = await service.Http.GetAsync($"{category.Url}/ignore-mask");
        Assert.Equal(
            ("image/bmp", "attachment"),
            (mask.Content.Headers.ContentType?.ToString(), mask.Content.Headers.ContentDisposition?.DispositionType)
        );
        Assert.Equal(["nosniff"], mask.Headers.GetValues("X-Content-Type-Options"));
    }

    [Fact]
    public async Task What_is_no_image_is_refused_whatever_it_is_called()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("part");
        await category.CreateAsync();
        foreach (
            var name in new[]
            {
                "svg.png",
                "pdf.jpg",
                "icon.png",
                "still.gif",
                "animated.gif",
                "float.tif",
                "run-lengths-overflow.bmp",
            }
        )
        foreach (var type in new[] { "image/png", "image/jpeg", "application/octet-stream" })
            await (await category.UploadRawAsync(ImageFixtures.Read(name), type)).ProblemAsync(400, "image_unreadable");
        byte[] late = [0, .. Parts.Encoded(1, "png")];
        await (await category.UploadRawAsync(late, "image/png")).ProblemAsync(400, "image_unreadable");
    }
}
