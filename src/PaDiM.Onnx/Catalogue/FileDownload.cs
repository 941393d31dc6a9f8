using System.Net;
using System.Net.Http.Headers;
using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Catalogue;

/// <summary>
/// Downloads one file over HTTP. A connection that is cut, in this run or an earlier one, costs only what had not come yet: the part stays, and the rest is asked for by
/// <c>Range</c> and <c>If-Range</c>. A server that does not know ranges, or has another file by now, makes it begin anew. One at a time in a folder.
/// </summary>
/// <param name="http">Without a timeout of its own.</param>
/// <param name="time">Waits between attempts, and for a server that has fallen silent.</param>
public sealed class FileDownload(HttpClient http, TimeProvider time)
{
    /// <summary>Largest file where its size is not known, in bytes.</summary>
    public const long MaxBytes = 2L << 30;

    /// <summary>Attempts in a row of which none but the first brought a byte more than there was.</summary>
    private const int Attempts = 5;

    private const int BufferBytes = 1 << 17;

    /// <summary>Pause before the second attempt; each further one is twice as long.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence after which a connection counts as cut.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>An HTTP client for downloads.</summary>
    /// <param name="proxy">The proxy to use; null for the one that <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c>, <c>ALL_PROXY</c> and <c>NO_PROXY</c> name, or none.</param>
    public static HttpClient CreateClient(Uri? proxy = null)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(30) };
        if (proxy is not null) handler.Proxy = new WebProxy(proxy) { Credentials = CredentialsOf(proxy) };
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("padim", null) } } };
    }

    /// <summary>Fetches a file.</summary>
    /// <param name="address">Where it lies; its last segment names the file.</param>
    /// <param name="folder">Where to put it; created when absent.</param>
    /// <param name="bytes">The size that it must have; null where that is not known.</param>
    /// <param name="progress">Told of every piece.</param>
    /// <param name="stop">Stops; the part stays.</param>
    /// <returns>The file, whole as far as its length tells; its hash is the caller's to check.</returns>
    /// <exception cref="InvalidDataException">The server has another file, or a larger one, or refuses, with a sentence that says so.</exception>
    /// <exception cref="IOException">The server cannot be reached, or the disk is full; what has come stays.</exception>
    public async Task<string> FetchAsync(Uri address, string folder, long? bytes, Action<DownloadProgress> progress, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, Path.GetFileName(address.LocalPath));
        var part = $"{file}.part";
        for (long failures = 0, furthest = LengthOf(part); ;)
        {
            try
            {
                await FetchOnceAsync(address, part, bytes, progress, stop);
                AtomicFile.Move(part, file);
                File.Delete(StateOf(part));
                return file;
            }
            catch (HttpRequestException e) when (IsTransient(e))
            {
                failures = LengthOf(part) > furthest ? 1 : failures + 1;
                furthest = Math.Max(furthest, LengthOf(part));
                if (failures == Attempts) throw new IOException($"{DownloadState.NameOf(address)} could not be downloaded: {e.Message.TrimEnd('.')}.{(furthest > 0 ? " What has come is kept; the same command goes on from there." : "")}", e);
                await Task.Delay(Pause * (1 << (int)(failures - 1)), time, stop);
            }
            catch (HttpRequestException e)
            {
                throw new InvalidDataException($"{DownloadState.NameOf(address)} cannot be downloaded: {e.Message}", e);
            }
        }
    }

    private async Task FetchOnceAsync(Uri address, string part, long? bytes, Action<DownloadProgress> progress, CancellationToken stop)
    {
        var known = File.Exists(part) ? DownloadState.Read(StateOf(part), address) : null;
        var start = known?.Condition is null ? 0 : LengthOf(part);
        if (start > 0 && start == known!.Length) return;
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (start > 0) (request.Headers.Range, request.Headers.IfRange) = (new RangeHeaderValue(start, null), known!.Condition);
        using var patience = new Deadline(Patience, time, stop);
        using var response = await patience.WaitAsync(token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token));
        var answered = DownloadState.Of(address, response);
        var goesOn = start > 0 && response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == start && known!.IsOf(answered);
        if (!goesOn && response.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            File.Delete(part);
            throw new HttpRequestException("The server has another file by now.");
        }
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"the server answers {(int)response.StatusCode} {response.ReasonPhrase}.", null, response.StatusCode);
        var state = goesOn ? known! : answered;
        CheckLength(address, state.Length, bytes);
        // Before its state: a part of one version is never taken for one of another.
        if (!goesOn) File.Delete(part);
        state.Write(StateOf(part));
        await using var source = await response.Content.ReadAsStreamAsync(stop);
        using var target = new FileStream(part, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        await CopyAsync(source, target, patience, count =>
        {
            if (count > (bytes ?? MaxBytes)) Refuse(address, part, target, bytes);
            progress(new DownloadProgress(count, state.Length));
        });
        if (state.Length is { } length && target.Length != length) throw new HttpRequestException($"{target.Length:N0} of {length:N0} bytes came.");
        CheckLength(address, target.Length, bytes);
    }

    private static async Task CopyAsync(Stream source, FileStream target, Deadline patience, Action<long> told)
    {
        var buffer = new byte[BufferBytes];
        while (true)
        {
            int count;
            try
            {
                count = await patience.WaitAsync(token => source.ReadAsync(buffer, token).AsTask());
            }
            catch (IOException e)
            {
                // The network's, not the disk's.
                throw new HttpRequestException("The connection was cut.", e);
            }
            if (count == 0) return;
            target.Write(buffer, 0, count);
            told(target.Length);
        }
    }

    private static void CheckLength(Uri address, long? length, long? expected)
    {
        if (expected is { } right && length is { } other && other != right) throw new InvalidDataException($"{DownloadState.NameOf(address)} has {other:N0} bytes; {right:N0} are right. It is another file.");
        if (length > MaxBytes) throw new InvalidDataException($"{DownloadState.NameOf(address)} has {length:N0} bytes; at most {MaxBytes:N0} are read.");
    }

    private static void Refuse(Uri address, string part, FileStream target, long? expected)
    {
        target.Dispose();
        File.Delete(part);
        throw new InvalidDataException($"{DownloadState.NameOf(address)} has more than the {expected ?? MaxBytes:N0} bytes that {(expected is null ? "are read" : "are right")}.");
    }

    private static bool IsTransient(HttpRequestException failure) => failure.StatusCode switch
    {
        null => failure.HttpRequestError is not (HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError or HttpRequestError.UserAuthenticationError),
        HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests => true,
        var status => status >= HttpStatusCode.InternalServerError,
    };

    private static long LengthOf(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static string StateOf(string part) => $"{part}.json";

    private static NetworkCredential? CredentialsOf(Uri proxy) => proxy.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var password]
        ? new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(string.Concat(password)))
        : null;
}
