using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// What HTTP/2 lets one connection ask for at no cost to itself: the service's memory stays, and the line is scored
/// meanwhile.
/// </summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class S07_Http2Floods
{
    private const byte Data = 0,
        Headers = 1,
        Reset = 3,
        Settings = 4,
        Ping = 6,
        Continuation = 9;
    private const byte EndStream = 1,
        EndHeaders = 4;
    private const int LittleMemory = 64 << 20;

    /// <summary>
    /// Scheme, path and host, of the fields that every decoder knows (RFC 7541, appendix A) but for the last two's
    /// values.
    /// </summary>
    private static readonly byte[] Target = [0x87, 0x04, 14, .. "/v1/categories"u8, 0x01, 9, .. "localhost"u8];

    /// <summary>GET of it.</summary>
    private static readonly byte[] Request = [0x82, .. Target];

    /// <summary>POST to it, whose body is still to come.</summary>
    private static readonly byte[] Opening = [0x83, .. Target];

    [Fact]
    public async Task Floods_cost_little_memory_and_scoring_goes_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Memory is read from Linux's /proc.");
        using var data = new TempDirectory();
        var plain = FreePort.Find();
        var two = FreePort.Find();
        await using var service = await ServiceProcess.StartInAsync(
            data.Path,
            new Dictionary<string, string>
            {
                ["Kestrel__Endpoints__A__Url"] = $"http://127.0.0.1:{plain}",
                // As behind TLS, where clients choose it; in the clear only by being told.
                ["Kestrel__Endpoints__B__Url"] = $"http://127.0.0.1:{two}",
                ["Kestrel__Endpoints__B__Protocols"] = "Http2",
            }
        );
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{plain}") };
        var category = new CategoryClient(http, "part");
        await category.CreateFittedAsync(3);
        await category.TimesAsync(30);
        var alone = await category.TimesAsync(50);
        var memory = new ProcessMemory(service.Id);
        foreach (
            var flood in new[]
            {
                "requests taken back at once",
                "headers without an end",
                "headers of nothing without an end",
                "pings",
                "settings",
                "empty pieces of a body",
                "more requests at a time than are allowed",
            }
        )
        {
            var frames = 0L;
            var ended = "";
            List<TimeSpan> beside = [];
            var growth = await memory.GrowthAsync(async () =>
            {
                var flooding = FloodAsync(
                    new Uri($"http://127.0.0.1:{two}"),
                    flood,
                    TimeSpan.FromSeconds(TrialLength.Of(2, 30))
                );
                beside = await category.TimesUntilAsync(flooding);
                (frames, ended) = await flooding;
            });
            Trial.Tell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{flood}: {frames} frames, {ended}; {growth >> 20} MiB more; {beside.Count} scores meanwhile, "
                        + $"median {beside.Median():f1} ms (alone {alone.Median():f1}), slowest "
                        + $"{beside.Max().TotalMilliseconds:f0} ms"
                )
            );
            Assert.InRange(growth, long.MinValue, LittleMemory);
        }
    }

    /// <summary>
    /// Sends frames for as long as the other side takes them, on connection after connection, and tells how many, and
    /// how the first ended.
    /// </summary>
    private static async Task<(long Frames, string Ended)> FloodAsync(Uri address, string flood, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        var frames = 0L;
        var connections = 0;
        var first = "still open";
        while (clock.Elapsed < duration)
        {
            using var connection = await RawConnection.OpenAsync(address);
            connections++;
            await connection.SendAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0)]);
            var heard = connection.ReadToEndAsync();
            var alone = Stopwatch.StartNew();
            var sent = 0L;
            for (var stream = 1; clock.Elapsed < duration && !heard.IsCompleted; )
            {
                // Some hundred frames at a time, so that the sender is no brake.
                byte[] piece = [.. Enumerable.Range(0, 200).SelectMany(_ => Next(flood, ref stream))];
                if (!await connection.SendAsync(piece))
                    break;
                sent += 200;
            }
            frames += sent;
            if (connections == 1 && clock.Elapsed < duration)
                first = FormattableString.Invariant(
                    $"the first connection closed after {alone.Elapsed.TotalSeconds:f1} s{GoAway(await heard)}"
                );
        }
        return (frames, $"{first}, {connections} connections");
    }

    private static byte[] Next(string flood, ref int stream)
    {
        var isFirst = stream == 1;
        switch (flood)
        {
            case "requests taken back at once":
                var id = stream;
                stream += 2;
                return [.. Frame(Headers, EndHeaders | EndStream, id, Request), .. Frame(Reset, 0, id, [0, 0, 0, 8])];
            case "headers without an end":
                stream = 3;
                return isFirst
                    ? Frame(Headers, 0, 1, Opening)
                    : Frame(Continuation, 0, 1, [0, 4, .. "x-ab"u8, 100, .. new byte[100].Select(_ => (byte)'a')]);
            case "headers of nothing without an end":
                stream = 3;
                return isFirst ? Frame(Headers, 0, 1, Opening) : Frame(Continuation, 0, 1);
            case "pings":
                return Frame(Ping, 0, 0, new byte[8]);
            case "settings":
                return Frame(Settings, 0, 0, [0, 4, 0, 0, 255, 255]);
            case "empty pieces of a body":
                stream = 3;
                return isFirst ? Frame(Headers, EndHeaders, 1, Opening) : Frame(Data, 0, 1);
            case "more requests at a time than are allowed":
                var open = stream;
                stream += 2;
                return Frame(Headers, EndHeaders, open, Opening);
            default:
                throw new ArgumentOutOfRangeException(nameof(flood), flood, null);
        }
    }

    /// <summary>RFC 9113, 4.1.</summary>
    private static byte[] Frame(byte type, int flags, int stream, ReadOnlySpan<byte> payload = default)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8 | type);
        frame[4] = (byte)flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>The error that the last GOAWAY frame of an answer names, if there is one.</summary>
    private static string GoAway(string answer)
    {
        var bytes = Encoding.Latin1.GetBytes(answer);
        var told = "";
        for (var at = 0; at + 9 <= bytes.Length; )
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at)) >>> 8;
            if (bytes[at + 3] == 7 && at + 17 <= bytes.Length)
                told = $" with error {BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at + 13))}";
            at += 9 + length;
        }
        return told;
    }
}
