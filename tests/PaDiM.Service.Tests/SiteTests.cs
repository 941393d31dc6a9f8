using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using PaDiM.Service.Site;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>How the console is served.</summary>
public sealed partial class SiteTests(SharedService shared)
{
    private const int MaxScriptBytes = 250_000;
    private static readonly string Console = Path.Combine(Repository.Root, "src", "PaDiM.Console");

    [Theory]
    [InlineData("/")]
    [InlineData("/console")]
    [InlineData("/console/c/flange/threshold")]
    public async Task The_page_answers_at_the_root_and_at_all_its_own_addresses(string url)
    {
        var page = await shared.Http.GetAsync(url);
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Contains("<base href=\"/console/\"", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.True(page.Headers.CacheControl!.NoCache);
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/consoles")]
    [InlineData("/v1/console")]
    [InlineData("/console/assets/nothing.js")]
    [InlineData("/console/assets/index.html")]
    public async Task What_is_not_the_console_s_is_still_not_found(string url) =>
        await (await shared.Http.GetAsync(url)).ProblemAsync(404, "route_not_found");

    [Fact]
    public async Task Its_files_may_be_kept_for_ever_and_the_page_is_asked_for_again()
    {
        var page = await shared.Http.GetAsync("/");
        using var again = new HttpRequestMessage(HttpMethod.Get, "/");
        again.Headers.IfNoneMatch.Add(page.Headers.ETag!);
        Assert.Equal(304, (int)(await shared.Http.SendAsync(again)).StatusCode);

        var assets = await ReadAssetsAsync();
        Assert.NotEmpty(assets);
        foreach (var asset in assets)
        {
            var answer = await shared.Http.GetAsync($"/console/{asset}");
            Assert.Equal(200, (int)answer.StatusCode);
            Assert.Contains(answer.Headers.CacheControl!.Extensions, extension => extension.Name == "immutable");
            Assert.Equal(TimeSpan.FromDays(365), answer.Headers.CacheControl.MaxAge);
        }
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, deflate, br, zstd", "br")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("zstd", null)]
    public async Task Files_come_in_the_smallest_form_that_the_browser_reads(string accepted, string? expected)
    {
        var script = (await ReadAssetsAsync()).First(name => name.EndsWith(".js", StringComparison.Ordinal));
        var plain = await shared.Http.GetAsync($"/console/{script}");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/console/{script}");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        var answer = await shared.Http.SendAsync(request);

        Assert.Equal(expected, answer.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal(["Accept-Encoding"], answer.Headers.Vary);
        Assert.Equal(expected is null, plain.Headers.ETag!.Equals(answer.Headers.ETag));
        await using var body = await answer.Content.ReadAsStreamAsync();
        await using Stream unpacked = expected switch
        {
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            "gzip" => new GZipStream(body, CompressionMode.Decompress),
            _ => body,
        };
        using var read = new MemoryStream();
        await unpacked.CopyToAsync(read);
        Assert.Equal(await plain.Content.ReadAsByteArrayAsync(), read.ToArray());
    }

    [Fact]
    public async Task Its_scripts_are_small()
    {
        var bytes = 0;
        foreach (var asset in await ReadAssetsAsync())
        {
            if (!asset.EndsWith(".js", StringComparison.Ordinal))
                continue;
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/console/{asset}");
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
            bytes += (await (await shared.Http.SendAsync(request)).Content.ReadAsByteArrayAsync()).Length;
        }
        Assert.InRange(bytes, 1, MaxScriptBytes);
    }

    [Fact]
    public async Task Below_a_path_it_finds_its_files_and_the_service_there()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("PathBase", "/lines/padim"));
        foreach (var url in new[] { "/", "/lines/padim", "/lines/padim/console/c/flange" })
            Assert.Contains(
                "<base href=\"/lines/padim/console/\"",
                await service.Http.GetStringAsync(url),
                StringComparison.Ordinal
            );
    }

    /// <summary>
    /// Machines without Node.js serve what is committed. Where there is Node.js, the program has what was just built.
    /// </summary>
    [Fact]
    public void The_committed_files_are_those_that_the_sources_give()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Console, "obj", "site")), "Built without Node.js.");
        var committed = Path.Combine(Console, "dist");
        var names = Directory
            .EnumerateFiles(committed, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(committed, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal);
        Assert.True(
            names.SequenceEqual(
                typeof(SiteFiles)
                    .Assembly.GetManifestResourceNames()
                    .Where(name => name.StartsWith(SiteFiles.Resources, StringComparison.Ordinal))
                    .Select(name => name[SiteFiles.Resources.Length..])
                    .Order(StringComparer.Ordinal)
            ),
            "Run 'npm run build' in src/PaDiM.Console and commit dist: names hold hashes of the files."
        );
    }

    /// <summary>The names of all assets: those that the page names, and those that these name.</summary>
    private async Task<IReadOnlyCollection<string>> ReadAssetsAsync()
    {
        var found = new HashSet<string>();
        var open = new Queue<string>(["/"]);
        while (open.TryDequeue(out var url))
            foreach (
                Match match in AssetName().Matches(Encoding.UTF8.GetString(await shared.Http.GetByteArrayAsync(url)))
            )
                if (found.Add(match.Value))
                    open.Enqueue($"/console/{match.Value}");
        return found;
    }

    [GeneratedRegex(@"assets/[\w-]+\.\w+")]
    private static partial Regex AssetName();
}
