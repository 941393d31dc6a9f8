using System.Globalization;
using System.Text;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Requests that HTTP forbids, or allows and nobody sends: one clear answer each, and memory that stays.
/// </summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class S08_OddRequests
{
    private const long LittleMemory = 64 << 20;

    [Fact]
    public async Task Odd_lengths_and_chunks_get_one_clear_answer()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "part");
        await category.CreateFittedAsync(2);
        var image = Encoding.Latin1.GetString(Parts.Good(1));
        var start = $"POST {category.Url}/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/bmp\r\n";
        foreach (
            var (name, request, status) in new[]
            {
                ("a length that is no number", $"{start}Content-Length: x\r\n\r\n", 400),
                ("a negative length", $"{start}Content-Length: -1\r\n\r\n", 400),
                ("a length beyond all numbers", $"{start}Content-Length: 99999999999999999999\r\n\r\n", 400),
                ("two lengths", $"{start}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
                (
                    "chunks that are not the last coding",
                    $"{start}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
                    400
                ),
                ("an unknown coding", $"{start}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400),
                ("a chunk of no length", $"{start}Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n", 400),
                (
                    "a chunk beyond all numbers",
                    $"{start}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
                    400
                ),
                (
                    "a chunk that is longer than it says",
                    $"{start}Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
                    400
                ),
                ("a space in a header's name", $"{start}Bad Name: 1\r\n\r\n", 400),
                ("a header without a colon", $"{start}Bad\r\n\r\n", 400),
                ("a folded header", $"{start}X-A: 1\r\n folded\r\n\r\n", 400),
                ("a request without a host", $"POST {category.Url}/score HTTP/1.1\r\n\r\n", 400),
                ("two hosts", $"GET /health/live HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n", 400),
                ("a NUL in the address", "GET /v1/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
                ("64 KiB of headers", $"{start}X-A: {new string('a', 65_536)}\r\n\r\n", 431),
                (
                    "a thousand headers",
                    $"{start}{string.Concat(Enumerable.Range(0, 1000).Select(i => $"X-{i}: 1\r\n"))}\r\n",
                    431
                ),
                ("an address of 64 KiB", $"GET /{new string('a', 65_536)} HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
                ("HTTP of another time", "GET / HTTP/3.7\r\nHost: localhost\r\n\r\n", 505),
                ("no HTTP", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003\r\n\r\n", 400),
                ("an image larger than any", $"{start}Content-Length: 67174401\r\nExpect: 100-continue\r\n\r\n", 413),
                (
                    "JSON of 30 MB and one byte",
                    $"PUT {category.Url} HTTP/1.1\r\nHost: localhost\r\n"
                        + "Content-Type: application/json\r\nContent-Length: 30000001\r\nExpect: 100-continue\r\n\r\n",
                    413
                ),
            }
        )
        {
            using var connection = await RawConnection.OpenAsync(service.Http.BaseAddress!);
            await connection.SendAsync(request);
            var answer = await connection.ReadToEndAsync();
            Assert.True(StatusesOf(answer) is [var only] && only == status, $"{name}: {answer}");
        }

        // A length that is a lie: what is missing is missed, and what is left over is no request.
        using (var less = await RawConnection.OpenAsync(service.Http.BaseAddress!))
        {
            await less.SendAsync($"{start}Content-Length: {image.Length + 10}\r\n\r\n{image}");
            less.EndSending();
            Assert.DoesNotContain(200, StatusesOf(await less.ReadToEndAsync()));
        }
        using (var more = await RawConnection.OpenAsync(service.Http.BaseAddress!))
        {
            await more.SendAsync($"{start}Content-Length: {image.Length}\r\n\r\n{image}left over\r\n\r\n");
            Assert.True(StatusesOf(await more.ReadToEndAsync()) is [200, 400]);
        }
        // Two ways to say where a body ends: the request within it must never be seen as one.
        using (var both = await RawConnection.OpenAsync(service.Http.BaseAddress!))
        {
            await both.SendAsync(
                $"{start}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                    + $"DELETE {category.Url} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            );
            Assert.True(StatusesOf(await both.ReadToEndAsync()) is [>= 400 and < 500]);
        }
        await category.ScoreAsync(Parts.Good(1));
        Assert.Equal("part", (await service.Http.GetJsonAsync(category.Url)).Text("name"));
    }

    [Fact]
    public async Task Bodies_of_tiny_chunks_and_bodies_that_are_too_large_leave_memory_as_it_was()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "part");
        await category.CreateFittedAsync(2);
        var tiny = new MemoryStream();
        foreach (var b in Encoding.Latin1.GetBytes(new string('x', TrialLength.Of(70_000, 1_000_000))))
            tiny.Write([(byte)'1', (byte)'\r', (byte)'\n', b, (byte)'\r', (byte)'\n']);
        tiny.Write("0\r\n\r\n"u8);
        await AskAsync(null);
        var grown = await new ProcessMemory(service.Id).GrowthAsync(async () =>
        {
            for (var i = 0; i < 3; i++)
                await AskAsync(tiny.ToArray());
            for (var i = 0; i < 3; i++)
            {
                // Without a wait for the answer the sender would often see no more of it than a broken connection.
                using var large = new HttpRequestMessage(HttpMethod.Put, category.Url)
                {
                    Content = new StringContent(new string(' ', 30_000_001), Encoding.UTF8, "application/json"),
                    Headers = { ExpectContinue = true },
                };
                await (await service.Http.SendAsync(large)).ProblemAsync(413, "body_too_large");
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"memory +{grown >> 20} MiB");
        Assert.InRange(grown, long.MinValue, LittleMemory);
        await category.ScoreAsync(Parts.Good(1));

        async Task AskAsync(byte[]? chunks)
        {
            using var connection = await RawConnection.OpenAsync(service.Http.BaseAddress!);
            await connection.SendAsync(
                $"POST {category.Url}/score HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
            );
            await connection.SendAsync(chunks ?? "0\r\n\r\n"u8.ToArray());
            var answer = await connection.ReadToEndAsync();
            Assert.Contains(chunks is null ? "empty_body" : "image_unreadable", answer, StringComparison.Ordinal);
        }
    }

    /// <summary>The status of each answer on a connection, but for those that only say to go on.</summary>
    private static int[] StatusesOf(string answers) =>
        [
            .. answers
                .Split('\n')
                .SelectMany(line => line.Split("HTTP/1.1 ").Skip(1))
                .Where(rest => rest.Length >= 3 && char.IsAsciiDigit(rest[0]))
                .Select(rest => int.Parse(rest[..3], CultureInfo.InvariantCulture))
                .Where(status => status != 100),
        ];
}
