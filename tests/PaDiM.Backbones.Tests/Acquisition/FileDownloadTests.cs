using PaDiM.Backbones.Acquisition;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Acquisition;

public sealed class FileDownloadTests : IDisposable
{
    private const string Tag = "\"v1\"";
    private static readonly byte[] File1 = Bytes(1, 700_000),
        File2 = Bytes(2, 500_000);

    private readonly TempDirectory _folder = new();
    private readonly HttpClient _http = FileDownload.CreateClient();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_comes_whole_and_its_progress_is_told()
    {
        using var server = FileServer.Of(File1);
        List<DownloadProgress> told = [];
        Assert.Equal(
            File1,
            File.ReadAllBytes(await Download().FetchAsync(At(server), _folder.Path, File1.Length, told.Add, default))
        );
        Assert.Equal(new DownloadProgress(File1.Length, File1.Length), told[^1]);
        Assert.Equal(told.Select(step => step.Bytes).Order(), told.Select(step => step.Bytes));
        FileDownload.Remove(_folder.Combine("net.bin"));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public async Task A_connection_that_is_cut_costs_only_what_had_not_come()
    {
        var cut = 0;
        using var server = new FileServer(request =>
            FileServer.Cut(FileServer.Right(request, File1, Tag), ++cut < 9 ? 100_000 : int.MaxValue)
        );
        Assert.Equal(File1, await FetchAsync(server));
        Assert.Equal(7, server.Requests.Count);
        Assert.Null(server.Requests.First().From);
        Assert.All(server.Requests.Skip(1), request => Assert.Equal(Tag, request.IfRange));
        Assert.Equal(100_000, server.Requests.ElementAt(1).From);
    }

    [Fact]
    public async Task What_an_earlier_run_left_is_gone_on_from()
    {
        using (var server = new FileServer(request => FileServer.Cut(FileServer.Right(request, File1, Tag), 300_000)))
        {
            using var stop = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                Download()
                    .FetchAsync(
                        At(server),
                        _folder.Path,
                        null,
                        state =>
                        {
                            if (state.Bytes == 300_000)
                                stop.Cancel();
                        },
                        stop.Token
                    )
            );
        }
        Assert.Equal(300_000, new FileInfo(_folder.Combine("net.bin.part")).Length);
        // Another port is another address; the state beside the part says where it came from.
        using var later = FileServer.Of(File1);
        File.WriteAllText(
            _folder.Combine("net.bin.part.json"),
            File.ReadAllText(_folder.Combine("net.bin.part.json"))
                .Replace(
                    Port(_folder.Combine("net.bin.part.json")),
                    $":{later.Address.Port}/",
                    StringComparison.Ordinal
                )
        );
        Assert.Equal(File1, await FetchAsync(later));
        Assert.Equal(300_000, Assert.Single(later.Requests).From);
    }

    [Fact]
    public async Task A_part_of_another_address_is_not_gone_on_from()
    {
        File.WriteAllBytes(_folder.Combine("net.bin.part"), File2[..1000]);
        File.WriteAllText(
            _folder.Combine("net.bin.part.json"),
            """{"address":"http://elsewhere/net.bin","eTag":"\"v1\"","lastModified":null,"length":500000}"""
        );
        using var server = FileServer.Of(File1);
        Assert.Equal(File1, await FetchAsync(server));
        Assert.Null(Assert.Single(server.Requests).From);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_does_not_know_ranges_is_asked_for_the_whole_again(bool tagged)
    {
        var requests = 0;
        using var server = new FileServer(_ =>
            FileServer.Cut(
                new FileAnswer(200, File1) { Headers = tagged ? [$"ETag: {Tag}"] : [] },
                ++requests == 1 ? 200_000 : int.MaxValue
            )
        );
        Assert.Equal(File1, await FetchAsync(server));
        Assert.Equal(tagged ? 200_000 : null, server.Requests.Last().From);
    }

    [Fact]
    public async Task A_file_that_changes_during_the_download_is_downloaded_again()
    {
        var requests = 0;
        using var server = new FileServer(request =>
            ++requests == 1
                ? FileServer.Cut(FileServer.Right(request, File1, Tag), 200_000)
                : FileServer.Right(request, File2, "\"v2\"")
        );
        Assert.Equal(File2, await FetchAsync(server));
    }

    [Theory]
    [InlineData("\"v2\"", 200_000)]
    [InlineData(Tag, 100_000)]
    public async Task A_part_of_another_file_or_place_is_thrown_away(string tag, int from)
    {
        var requests = 0;
        // The second answer ignores If-Range.
        using var server = new FileServer(request =>
            ++requests switch
            {
                1 => FileServer.Cut(FileServer.Right(request, File1, Tag), 200_000),
                2 => new FileAnswer(206, File2[from..])
                {
                    Headers = [$"ETag: {tag}", $"Content-Range: bytes {from}-{File2.Length - 1}/{File2.Length}"],
                },
                _ => FileServer.Right(request, File2, "\"v2\""),
            }
        );
        Assert.Equal(File2, await FetchAsync(server));
        Assert.Null(server.Requests.Last().From);
    }

    [Fact]
    public async Task A_part_that_is_longer_than_the_file_is_thrown_away()
    {
        File.WriteAllBytes(_folder.Combine("net.bin.part"), new byte[800_000]);
        using var server = FileServer.Of(File1);
        File.WriteAllText(
            _folder.Combine("net.bin.part.json"),
            $$"""{"address":"{{server.Address}}net.bin","eTag":"\"v1\"","lastModified":null,"length":null}"""
        );
        Assert.Equal(File1, await FetchAsync(server));
        Assert.Equal([800_000, null], server.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task Of_a_file_that_came_whole_before_a_crash_only_the_last_byte_comes_again()
    {
        using var server = FileServer.Of(File1);
        File.WriteAllBytes(_folder.Combine("net.bin.part"), File1);
        File.WriteAllText(
            _folder.Combine("net.bin.part.json"),
            $$"""{"address":"{{server.Address}}net.bin","eTag":"\"v1\"","lastModified":null,"length":{{File1.Length}}}"""
        );
        Assert.Equal(File1, await FetchAsync(server));
        Assert.Equal(File1.Length - 1, Assert.Single(server.Requests).From);
    }

    [Fact]
    public async Task A_downloaded_file_that_has_changed_since_is_downloaded_again()
    {
        var file = File1;
        var tag = Tag;
        using var server = new FileServer(request => FileServer.Right(request, file, tag));
        Assert.Equal(File1, await FetchAsync(server));
        file = File2;
        tag = "\"v2\"";
        Assert.Equal(File2, await FetchAsync(server));
    }

    [Theory]
    [InlineData(2, "", 200_000)]
    [InlineData(0, "", null)]
    [InlineData(2, "W/\"v1\"", null)]
    public async Task A_date_names_a_version_where_nothing_else_does_and_it_is_not_of_this_second(
        int age,
        string tag,
        int? from
    )
    {
        var requests = 0;
        var sent = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        string[] headers =
        [
            $"Date: {sent:r}",
            $"Last-Modified: {sent.AddSeconds(-age):r}",
            .. tag.Length > 0 ? [$"ETag: {tag}"] : Array.Empty<string>(),
        ];
        using var server = new FileServer(request =>
            ++requests == 1 ? FileServer.Cut(new FileAnswer(200, File1) { Headers = headers }, 200_000)
            : request.From is { } start
                ? new FileAnswer(206, File1[(int)start..])
                {
                    Headers = [.. headers, $"Content-Range: bytes {start}-{File1.Length - 1}/{File1.Length}"],
                }
            : new FileAnswer(200, File1) { Headers = headers }
        );
        Assert.Equal(File1, await FetchAsync(server));
        Assert.Equal(
            (from, from is null ? null : $"{sent.AddSeconds(-age):r}"),
            ((int?)server.Requests.Last().From, server.Requests.Last().IfRange)
        );
    }

    [Fact]
    public async Task A_redirect_is_followed_with_the_range_that_is_asked_for()
    {
        var requests = 0;
        using var server = new FileServer(request =>
            !request.Target.StartsWith("/there", StringComparison.Ordinal)
                ? new FileAnswer(302, []) { Headers = ["Location: /there"] }
                : FileServer.Cut(FileServer.Right(request, File1, Tag), ++requests == 1 ? 200_000 : int.MaxValue)
        );
        Assert.Equal(File1, await FetchAsync(server));
        Assert.Equal(
            ["/net.bin?secret=1", "/there", "/net.bin?secret=1", "/there"],
            server.Requests.Select(request => request.Target)
        );
        Assert.Equal(200_000, server.Requests.Last().From);
    }

    [Theory]
    [InlineData("http://192.0.2.1/net.bin", "192.0.2.1, which is not https")]
    [InlineData("file:///etc/hostname", "which is not https")]
    [InlineData("/net.bin", "more than")]
    public async Task A_redirect_to_where_nothing_may_be_asked_is_refused(string place, string expected)
    {
        using var server = new FileServer(_ => new FileAnswer(307, []) { Headers = [$"Location: {place}"] });
        Assert.Contains(
            expected,
            (await Assert.ThrowsAsync<InvalidDataException>(() => FetchAsync(server))).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task What_may_pass_is_tried_again(int status)
    {
        var requests = 0;
        using var server = new FileServer(request =>
            ++requests < 4 ? new FileAnswer(status, []) : FileServer.Right(request, File1, Tag)
        );
        Assert.Equal(File1, await FetchAsync(server));
    }

    [Fact]
    public async Task What_does_not_pass_is_given_up_after_some_attempts_and_the_part_stays()
    {
        var requests = 0;
        using var server = new FileServer(request =>
            ++requests == 1 ? FileServer.Cut(FileServer.Right(request, File1, Tag), 200_000) : new FileAnswer(503, [])
        );
        var failure = await Assert.ThrowsAsync<IOException>(() => FetchAsync(server));
        Assert.Contains("503", failure.Message, StringComparison.Ordinal);
        Assert.Equal(5, server.Requests.Count);
        Assert.Equal(200_000, new FileInfo(_folder.Combine("net.bin.part")).Length);
        Assert.False(File.Exists(_folder.Combine("net.bin")));
        Assert.Contains("is kept", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_said_to_be_kept_that_cannot_be_gone_on_from()
    {
        var requests = 0;
        using var server = new FileServer(_ =>
            ++requests == 1 ? FileServer.Cut(new FileAnswer(200, File1), 200_000) : new FileAnswer(503, [])
        );
        Assert.DoesNotContain(
            "is kept",
            (await Assert.ThrowsAsync<IOException>(() => FetchAsync(server))).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    public async Task A_refusal_is_final(int status)
    {
        using var server = new FileServer(_ => new FileAnswer(status, []));
        Assert.Contains(
            $"{status}",
            (await Assert.ThrowsAsync<InvalidDataException>(() => FetchAsync(server))).Message,
            StringComparison.Ordinal
        );
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_server_that_nobody_hears_of_is_a_failure_of_the_network()
    {
        var server = FileServer.Of(File1);
        server.Dispose();
        await Assert.ThrowsAsync<IOException>(() => FetchAsync(server));
    }

    [Fact]
    public async Task A_server_that_falls_silent_counts_as_cut()
    {
        var requests = 0;
        using var server = new FileServer(request =>
            ++requests > 1
                ? FileServer.Right(request, File1, Tag)
                : FileServer.Cut(FileServer.Right(request, File1, Tag), 200_000) with
                {
                    FallsSilent = true,
                }
        );
        Assert.Equal(File1, await FetchAsync(server, patienceSeconds: 2));
        Assert.Equal(200_000, server.Requests.Last().From);
    }

    [Theory]
    [InlineData(699_999)]
    [InlineData(700_001)]
    public async Task A_file_of_another_size_is_refused_before_it_comes(long expected)
    {
        using var server = FileServer.Of(File1);
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            Download().FetchAsync(At(server), _folder.Path, expected, _ => { }, default)
        );
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Theory]
    [InlineData(600_000)]
    [InlineData(800_000)]
    public async Task A_file_of_another_size_is_refused_where_its_length_was_not_said(long expected)
    {
        using var server = new FileServer(_ => new FileAnswer(200, File1) { Length = -1 });
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            Download().FetchAsync(At(server), _folder.Path, expected, _ => { }, default)
        );
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public async Task A_file_too_large_is_refused()
    {
        using var server = new FileServer(_ => new FileAnswer(200, [1]) { Length = FileDownload.MaxBytes + 1 });
        await Assert.ThrowsAsync<InvalidDataException>(() => FetchAsync(server));
    }

    [Fact]
    public async Task A_download_without_a_length_comes_whole()
    {
        using var server = new FileServer(_ => new FileAnswer(200, File1) { Length = -1 });
        Assert.Equal(File1, await FetchAsync(server));
    }

    private static Uri At(FileServer server) => new(server.Address, "net.bin?secret=1");

    /// <summary>Patient with a slow machine but where silence is what is tested.</summary>
    private FileDownload Download(int patienceSeconds = 60) =>
        new(_http, TimeProvider.System)
        {
            RetryDelay = TimeSpan.FromMilliseconds(1),
            IdleTimeout = TimeSpan.FromSeconds(patienceSeconds),
        };

    private async Task<byte[]> FetchAsync(FileServer server, int patienceSeconds = 60) =>
        File.ReadAllBytes(
            await Download(patienceSeconds).FetchAsync(At(server), _folder.Path, null, _ => { }, default)
        );

    private static string Port(string state) => File.ReadAllText(state).Split("127.0.0.1")[1].Split("net.bin")[0];

    private static byte[] Bytes(int seed, int count)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
