using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials;

/// <summary>Names of every kind: they are data, and never touch a path.</summary>
public sealed partial class S05_Names
{
    private static readonly string[] Names =
    [
        "../../etc/passwd",
        @"..\..\windows\win.ini",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/",
        @"C:\",
        @"C:\Windows\System32\config",
        @"\\server\share\x.png",
        "NUL",
        "con.png",
        "COM1",
        "/etc/passwd",
        "~/.ssh/id_rsa",
        new string('a', 4096),
        "photo\u202Egnp.exe",
        "a\0b.png",
        "\0",
        "\u0001\u0007\u001b[31m.png",
        "🔩🧿.png",
        "-rf",
        "--help",
        ".",
        "..",
        "...",
        " ",
        "a b.png",
        "\"quoted\".png",
        "a;b=c.png",
        "a\r\nX-Injected: 1.png",
        "<script>alert(1)</script>.png",
        "'; DROP TABLE Images; --",
        "$(touch x)",
        "`touch x`",
        "%00.png",
        "%s%n",
        "\ud83d",
        "padim.db",
        "ä\u0308ö.png",
        "名前.png",
    ];

    [Fact]
    public async Task Names_of_files_are_kept_as_data_and_no_file_is_called_by_them()
    {
        using var data = new TempDirectory();
        var root = Directory.CreateDirectory(data.Combine("deep", "inside", "data")).FullName;
        await using (var service = await RunningService.StartAsync(root))
        {
            var category = service.Category("part");
            await category.CreateAsync();
            await category.UploadPartsAsync(100, 3);
            await category.FitAsync();
            for (var i = 0; i < Names.Length; i++)
            {
                var name = Names[i];
                var image = Parts.Good(i);
                using var upload = Form(name, image);
                var accepted = (await (await service.Http.PostAsync($"{category.Url}/images", upload)).JsonAsync(200))
                    .Items("accepted")
                    .Single();
                var kept = accepted.Text("fileName");
                Assert.InRange(kept.Length, 1, 255);
                Assert.DoesNotContain(kept, char.IsControl);
                using var served = await service.Http.GetAsync($"{category.Url}/images/{accepted.Text("id")}");
                Assert.Equal(image, await served.Content.ReadAsByteArrayAsync());
                Assert.Equal("attachment", served.Content.Headers.ContentDisposition?.DispositionType);
                Assert.False(served.Headers.Contains("X-Injected"));

                using var batch = Form(name, image);
                var item = (await (await service.Http.PostAsync($"{category.Url}/score/batch", batch)).JsonAsync(200))
                    .Items("results")
                    .Single();
                Assert.DoesNotContain(item.Text("fileName"), char.IsControl);
                Assert.NotNull(item["result"]);
            }
            // What goes through is told as it was sent; the client doubles backslashes, and browsers do not.
            var listed = (await service.Http.GetJsonAsync($"{category.Url}/images?limit=1000"))
                .Items()
                .Select(image => image.Text("fileName"))
                .ToArray();
            foreach (
                var name in new[]
                {
                    "../../etc/passwd",
                    @"C:\Windows\System32\config",
                    "NUL",
                    "con.png",
                    "photo\u202Egnp.exe",
                    "🔩🧿.png",
                    "-rf",
                    "'; DROP TABLE Images; --",
                    "名前.png",
                }
            )
                Assert.Contains(name, listed.Select(kept => kept.Replace(@"\\", @"\", StringComparison.Ordinal)));
        }
        Assert.Equal([data.Combine("deep")], Directory.EnumerateFileSystemEntries(data.Path));
        Assert.Equal([data.Combine("deep", "inside")], Directory.EnumerateFileSystemEntries(data.Combine("deep")));
        Assert.Equal([root], Directory.EnumerateFileSystemEntries(data.Combine("deep", "inside")));
        Assert.All(
            Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories),
            file => Assert.Matches(OwnFile(), Path.GetRelativePath(root, file))
        );
    }

    [Fact]
    public async Task Names_in_addresses_are_refused_or_not_found()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        await service.Category("part").CreateAsync();
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = service.Http.BaseAddress,
        };
        var paths = new[]
        {
            "/v1/categories/{0}",
            "/v1/categories/{0}/images",
            "/v1/categories/part/images/{0}",
            "/v1/categories/part/images/{0}/thumbnail",
            "/v1/categories/part/models/{0}",
            "/v1/categories/part/models/{0}/export",
            "/v1/jobs/{0}",
            "/v1/jobs/{0}/events",
            "/v1/evaluations/{0}",
            "/v1/jobs?category={0}",
            "/v1/categories?cursor={0}",
        };
        foreach (
            var name in Names.Where(name => name is not (" " or "." or ".." or "\ud83d") && !CategoryName.IsValid(name))
        )
        foreach (var path in paths)
        foreach (var verb in new[] { HttpMethod.Get, HttpMethod.Delete, HttpMethod.Put })
        {
            using var answer = await client.SendAsync(
                new HttpRequestMessage(
                    verb,
                    string.Format(System.Globalization.CultureInfo.InvariantCulture, path, Uri.EscapeDataString(name))
                )
            );
            if (answer.StatusCode is HttpStatusCode.OK && path.Contains('?'))
                continue;
            Assert.True(
                (int)answer.StatusCode is >= 400 and < 500,
                $"{verb} {path} '{name}': {(int)answer.StatusCode}"
            );
            // What HTTP itself forbids in an address, the server answers before the service sees it.
            if (answer.Content.Headers.ContentLength != 0)
                await answer.AnyProblemAsync();
        }
        Assert.All(
            Directory.EnumerateFiles(data.Path, "*", SearchOption.AllDirectories),
            file => Assert.Matches(OwnFile(), Path.GetRelativePath(data.Path, file))
        );
    }

    /// <summary>
    /// A form as no client library writes it: the name's own bytes, but for what would end the header.
    /// </summary>
    private static ByteArrayContent Form(string name, byte[] image)
    {
        var quoted = name.Replace("\r", "", StringComparison.Ordinal)
            .Replace("\n", "", StringComparison.Ordinal)
            .Replace(@"\", @"\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal);
        var content = new ByteArrayContent([
            .. Encoding.UTF8.GetBytes(
                $"--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{quoted}\"\r\n\r\n"
            ),
            .. image,
            .. "\r\n--b--\r\n"u8,
        ]);
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");
        return content;
    }

    [GeneratedRegex(
        @"\A(padim\.db(-wal|-shm|\.lock)?|inspections\.db(-wal|-shm)?|images/[0-9a-f]{2}/[0-9a-f]{64}|inspections/part/[0-9a-f]{16}|models/part/[0-9a-f-]+(\.statistics)?\.safetensors|embeddings/.+/[0-9a-f]{64}\.safetensors)\z"
    )]
    private static partial Regex OwnFile();
}
