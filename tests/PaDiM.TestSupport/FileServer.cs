using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PaDiM.TestSupport;

/// <summary>A request that came.</summary>
/// <param name="Target">What was asked for, such as <c>/net.onnx</c>.</param>
/// <param name="From">First byte of the range; null for the whole.</param>
/// <param name="IfRange">The version that the range is of.</param>
public sealed record FileRequest(string Target, long? From, string? IfRange);

/// <summary>What is answered, right or wrong.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The bytes that are sent before the connection is closed.</param>
public sealed record FileAnswer(int Status, byte[] Body)
{
    /// <summary>Further headers, each with its name.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary>What is said of the length; the truth when null, nothing when below 0.</summary>
    public long? Length { get; init; }

    /// <summary>Keeps the connection open without a further byte.</summary>
    public bool FallsSilent { get; init; }
}

/// <summary>
/// An HTTP server on a free loopback port that answers as a test says, one connection a request: it may lie, and cut
/// connections.
/// </summary>
public sealed class FileServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<FileRequest, FileAnswer> _answer;

    /// <summary>Starts it.</summary>
    public FileServer(Func<FileRequest, FileAnswer> answer)
    {
        _answer = answer;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _ = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What has been asked so far, in order.</summary>
    public ConcurrentQueue<FileRequest> Requests { get; } = new();

    /// <summary>A server of one file that does everything right.</summary>
    public static FileServer Of(byte[] file, string tag = "\"v1\"") => new(request => Right(request, file, tag));

    /// <summary>The right answer: the rest for a range of this version, the whole otherwise.</summary>
    public static FileAnswer Right(FileRequest request, byte[] file, string tag) =>
        request.From switch
        {
            { } from when from >= file.Length => new FileAnswer(416, []),
            { } from when request.IfRange == tag => new FileAnswer(206, file[(int)from..])
            {
                Headers = [$"ETag: {tag}", $"Content-Range: bytes {from}-{file.Length - 1}/{file.Length}"],
            },
            _ => new FileAnswer(200, file) { Headers = [$"ETag: {tag}"] },
        };

    /// <summary>An answer that breaks off after so many bytes.</summary>
    public static FileAnswer Cut(FileAnswer whole, int after) =>
        whole with
        {
            Body = whole.Body[..Math.Min(after, whole.Body.Length)],
            Length = whole.Body.Length,
        };

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var given = _answer(await ReadAsync(stream));
                var head = new StringBuilder().Append(
                    CultureInfo.InvariantCulture,
                    $"HTTP/1.1 {given.Status} {(HttpStatusCode)given.Status}\r\nConnection: close\r\n"
                );
                if (given.Length is not < 0)
                    head.Append(
                        CultureInfo.InvariantCulture,
                        $"Content-Length: {given.Length ?? given.Body.Length}\r\n"
                    );
                foreach (var header in given.Headers)
                    head.Append(header).Append("\r\n");
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()));
                await stream.WriteAsync(given.Body);
                await stream.FlushAsync();
                if (given.FallsSilent)
                    await Task.Delay(Timeout.Infinite, _stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client has gone, or the test is over.
            }
        }
    }

    private async Task<FileRequest> ReadAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var target = (await reader.ReadLineAsync())!.Split(' ')[1];
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
            if (line.Split(": ", 2) is [var name, var value])
                headers[name] = value;
        var range = headers.GetValueOrDefault("Range");
        var request = new FileRequest(
            target,
            range is null ? null : long.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture),
            headers.GetValueOrDefault("If-Range")
        );
        Requests.Enqueue(request);
        return request;
    }
}
