using System.Diagnostics;
using System.Globalization;
using System.Text;
using NetVips;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Images that are small to send and large to decode: refused for what their headers say, with little memory and soon.
/// </summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class S01_PixelFloods
{
    private const long LittleMemory = 32 << 20;

    [Fact]
    public async Task Floods_of_pixels_and_bombs_are_refused_from_their_headers()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "part");
        await category.CreateFittedAsync(2);
        var memory = new ProcessMemory(service.Id);
        var rounds = TrialLength.Of(3, 20);
        foreach (var (name, bytes, status, code) in Floods())
        {
            // The first of a kind loads what it needs; some more show whether anything stays.
            await RefusedAsync(bytes);
            var slowest = TimeSpan.Zero;
            var grown = await memory.GrowthAsync(async () =>
            {
                for (var i = 0; i < rounds; i++)
                {
                    var clock = Stopwatch.StartNew();
                    await RefusedAsync(bytes);
                    slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
                }
            });
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{name}: {bytes.Length} bytes, slowest of {rounds} {slowest.TotalMilliseconds:f0} ms, memory "
                    + $"+{grown >> 20} MiB"
            );
            Assert.True(grown - bytes.Length <= LittleMemory, $"{name}: memory grew by {grown}");

            async Task RefusedAsync(byte[] image)
            {
                using var answer = await category.SendScoreAsync(image, mediaType: "image/png");
                var problem = await answer.AnyProblemAsync();
                Assert.True(
                    (status, code) == ((int)answer.StatusCode, problem.Text("code")),
                    $"{name}: {problem.ToJsonString()}"
                );
            }
        }
        await category.ScoreAsync(Parts.Good(1));
    }

    [Fact]
    public async Task A_flood_is_refused_by_its_beginning_whatever_comes_behind_it()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path);
        var category = new CategoryClient(service.Http, "part");
        await category.CreateFittedAsync(2);
        foreach (
            var (name, bytes, status, code) in new[]
            {
                ("PNG of 10 000 x 10 000", PngFile.Grey(10_000, 10_000, 8, 10_000), 413, "image_too_large"),
                ("TIFF of 100 000 directories", TiffFile.Grey(100_000), 422, "image_animated"),
            }
        )
        {
            var times = new List<double>();
            var beginning = bytes.AsMemory(0, Math.Min(bytes.Length, 1 << 16));
            for (var i = 0; i <= TrialLength.Of(3, 20); i++)
            {
                using var connection = await RawConnection.OpenAsync(service.Http.BaseAddress!);
                var clock = Stopwatch.StartNew();
                await connection.SendAsync(
                    $"POST {category.Url}/score HTTP/1.1\r\nHost: localhost\r\n"
                        + $"Content-Type: image/png\r\nContent-Length: {bytes.Length}\r\n\r\n"
                );
                await connection.SendAsync(beginning);
                var answer = await connection.ReadUntilAsync(code);
                times.Add(clock.Elapsed.TotalMilliseconds);
                Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
                Assert.Contains(code, answer, StringComparison.Ordinal);
            }
            Trial.Tell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: the first {beginning.Length} of {bytes.Length} bytes were sent; slowest answer "
                        + $"{times.Skip(1).Max():f1} ms"
                )
            );
        }
    }

    private static IEnumerable<(string Name, byte[] Bytes, int Status, string Code)> Floods()
    {
        const string tooLarge = "image_too_large",
            unreadable = "image_unreadable",
            animated = "image_animated";
        yield return ("PNG of 10 000 x 10 000", PngFile.Grey(10_000, 10_000, 8, 10_000), 413, tooLarge);
        yield return ("PNG of 65 535 x 65 535 bits", PngFile.Grey(65_535, 65_535, 1, 1000), 413, tooLarge);
        yield return ("PNG of 1 x 2^31", PngFile.Grey(1, 0x8000_0000, 8, 1), 422, unreadable);
        yield return ("PNG of 8 x 8 and 64 MiB behind", PngFile.Grey(8, 8, 8, 1L << 26), 422, unreadable);
        yield return (
            "APNG of 10 000 frames",
            PngFile.Grey(
                8,
                8,
                8,
                8,
                [
                    PngFile.Chunk("acTL", [0, 0, 39, 16, 0, 0, 0, 0]),
                    .. Enumerable.Repeat(PngFile.Chunk("fcTL", new byte[26]), 10_000),
                ]
            ),
            422,
            animated
        );
        foreach (
            var (type, start) in new[] { ("iCCP", "name\0\0"), ("zTXt", "key\0\0"), ("iTXt", "key\0\u0001\0\0\0") }
        )
            yield return (
                $"PNG of 10 000 x 10 000 with 64 MiB in {type}",
                PngFile.Grey(
                    10_000,
                    10_000,
                    8,
                    1,
                    PngFile.Chunk(type, [.. Encoding.Latin1.GetBytes(start), .. PngFile.Zeros(64 << 20)])
                ),
                413,
                tooLarge
            );
        yield return ("TIFF of 100 000 directories", TiffFile.Grey(100_000), 422, animated);
        yield return ("TIFF whose directory follows itself", TiffFile.Grey(1, followsItself: true), 422, animated);
        yield return (
            "TIFF with a tile of 65 520 x 65 520",
            TiffFile.Page(
                (256, 1),
                (257, 1),
                (258, 8),
                (259, 1),
                (262, 1),
                (322, 65_520),
                (323, 65_520),
                (324, 8),
                (325, 1)
            ),
            422,
            unreadable
        );
        yield return (
            "TIFF of 65 500 x 65 500",
            TiffFile.Page(
                (256, 65_500),
                (257, 65_500),
                (258, 8),
                (259, 1),
                (262, 1),
                (273, 8),
                (278, 65_500),
                (279, 1)
            ),
            413,
            tooLarge
        );
        foreach (var name in new[] { "huge.jpg", "huge.bmp" })
            yield return (name, ImageFixtures.Read(name), 413, tooLarge);
        using var wide = Image.Black(16_383, 5000);
        yield return ("WebP of 16 383 x 5000", wide.WebpsaveBuffer(effort: 0), 413, tooLarge);
    }
}
