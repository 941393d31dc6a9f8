using System.Net;
using System.Net.Http.Headers;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Downloads one file over HTTP. After a lost connection, in this run or an earlier one, it resumes: the partial file
/// is kept, and the rest is requested with <c>Range</c> and <c>If-Range</c>. It starts over if the server does not
/// support ranges or has another file by now. Only one download at a time per folder.
/// </summary>
/// <param name="http">A client without a time-out and without redirects. This class follows redirects, which must stay
/// on https.</param>
/// <param name="time">The clock for retry delays and time-outs.</param>
public sealed class FileDownload(HttpClient http, TimeProvider time)
{
    /// <summary>The largest file if its size is not known, in bytes.</summary>
    public const long MaxBytes = 2L << 30;

    /// <summary>The number of attempts in a row of which all but the first brought no new byte.</summary>
    private const int MaxFruitlessAttempts = 5;

    private const int MaxRedirects = 10;

    private const int BufferBytes = 1 << 17;

    /// <summary>Gets the delay before the second attempt. Each further delay is twice as long.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time without data after which a connection counts as lost.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Creates an HTTP client for downloads.</summary>
    /// <param name="proxy">The proxy; null for the one that <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c>, <c>ALL_PROXY</c> and
    /// <c>NO_PROXY</c> define, if any.</param>
    public static HttpClient CreateClient(Uri? proxy = null)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(30), AllowAutoRedirect = false };
        if (proxy is not null)
            handler.Proxy = new WebProxy(proxy) { Credentials = GetCredentials(proxy) };
        return new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("padim", null) } },
        };
    }

    /// <summary>Downloads a file.</summary>
    /// <param name="address">The URL. Its last segment is the file name.</param>
    /// <param name="folder">The target folder, which is created if it does not exist.</param>
    /// <param name="bytes">The expected size; null if it is not known.</param>
    /// <param name="progress">Receives every piece.</param>
    /// <param name="stop">Cancels; the partial file is kept.</param>
    /// <returns>The file, complete according to its length. The caller checks its hash. Until <see cref="Remove"/> is
    /// called, the next call fetches only its last byte, if the server still has this version.</returns>
    /// <exception cref="InvalidDataException">The server has another file or a larger one, refuses, or redirects to a
    /// URL without https; the message says which.</exception>
    /// <exception cref="IOException">The server cannot be reached, or the disk is full. The partial file is kept if it
    /// can be resumed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the folder is denied.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<string> FetchAsync(
        Uri address,
        string folder,
        long? bytes,
        Action<DownloadProgress> progress,
        CancellationToken stop
    )
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, Path.GetFileName(address.LocalPath));
        var part = GetPartPath(file);
        // Left by an earlier call.
        if (File.Exists(file))
            File.Move(file, part, overwrite: true);
        for (long failures = 0, furthest = GetLength(part); ; )
        {
            try
            {
                await FetchOnceAsync(address, part, bytes, progress, stop);
                AtomicFile.Move(part, file);
                return file;
            }
            catch (HttpRequestException e) when (IsTransient(e))
            {
                failures = GetLength(part) > furthest ? 1 : failures + 1;
                furthest = Math.Max(furthest, GetLength(part));
                if (failures == MaxFruitlessAttempts)
                    throw new IOException(
                        $"{DownloadState.WithoutQuery(address)} could not be downloaded: {e.Message.TrimEnd('.')}."
                            + (
                                GetResumeOffset(part, address) > 0
                                    ? " The partial file is kept; run the same command again to resume."
                                    : ""
                            ),
                        e
                    );
                await Task.Delay(RetryDelay * (1 << (int)(failures - 1)), time, stop);
            }
            catch (HttpRequestException e)
            {
                throw new InvalidDataException(
                    $"{DownloadState.WithoutQuery(address)} cannot be downloaded: {e.Message}",
                    e
                );
            }
        }
    }

    /// <summary>Removes a downloaded file and the state of its download.</summary>
    /// <exception cref="IOException">It is in use.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the folder is denied.</exception>
    public static void Remove(string file)
    {
        File.Delete(file);
        Discard(GetPartPath(file));
    }

    private async Task FetchOnceAsync(
        Uri address,
        string part,
        long? bytes,
        Action<DownloadProgress> progress,
        CancellationToken stop
    )
    {
        var known = DownloadState.Read(GetStatePath(part), address);
        var start = GetResumeOffset(part, address);
        // If the partial file is complete, its last byte is fetched again: the response shows whether the server still
        // has this version.
        if (start > 0 && start == known!.Length)
            Truncate(part, --start);
        using var timeout = new ResponseTimeout(IdleTimeout, time, stop);
        using var response = await SendAsync(address, start > 0 ? start : null, known?.Condition, timeout);
        var resumes =
            start > 0
            && response.StatusCode == HttpStatusCode.PartialContent
            && response.Content.Headers.ContentRange?.From == start
            && known!.Matches(response);
        if (
            !resumes
            && response.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable
        )
        {
            Discard(part);
            throw new HttpRequestException("the server has another file by now.");
        }
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException(
                $"the server answered {(int)response.StatusCode} {response.ReasonPhrase}.",
                null,
                response.StatusCode
            );
        var state = resumes ? known! : DownloadState.FromResponse(address, response);
        // Before the state is written, so that a partial file never belongs to another version.
        if (!resumes)
            Discard(part);
        CheckLength(address, state.Length, bytes);
        state.Write(GetStatePath(part));
        await using var source = await response.Content.ReadAsStreamAsync(stop);
        using (var target = new FileStream(part, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            await CopyAsync(
                source,
                target,
                timeout,
                count =>
                {
                    if (count > (bytes ?? MaxBytes))
                        RejectOversized(address, part, target, bytes);
                    progress(new DownloadProgress(count, state.Length));
                }
            );
        }
        var received = GetLength(part);
        if (state.Length is { } length && received != length)
            throw new HttpRequestException($"only {received:N0} of {length:N0} bytes were received.");
        if (bytes is { } expected && received != expected)
            Discard(part);
        CheckLength(address, received, bytes);
    }

    /// <summary>Requests the file or the rest of it, and follows redirects.</summary>
    /// <exception cref="HttpRequestException">The server did not answer.</exception>
    /// <exception cref="InvalidDataException">It redirects to a URL that is not allowed, or too often.</exception>
    private async Task<HttpResponseMessage> SendAsync(
        Uri address,
        long? from,
        RangeConditionHeaderValue? condition,
        ResponseTimeout timeout
    )
    {
        var current = address;
        for (var redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, current);
            if (from is not null)
            {
                request.Headers.Range = new RangeHeaderValue(from, null);
                request.Headers.IfRange = condition;
            }
            var response = await timeout.WaitAsync(token =>
                http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)
            );
            if (
                response.Headers.Location is not { } next
                || (int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)
            )
                return response;
            response.Dispose();
            next = new Uri(current, next);
            if (!IsAllowedRedirect(current, next))
                throw new InvalidDataException(
                    $"{DownloadState.WithoutQuery(address)} redirects to {next.Scheme}://{next.Host}, "
                        + "which is not https. The redirect was refused."
                );
            current = next;
        }
        throw new InvalidDataException(
            $"{DownloadState.WithoutQuery(address)} redirects more than {MaxRedirects} times."
        );
    }

    /// <summary>
    /// Gets whether a redirect is allowed: to https, or from http to http on the same host or machine.
    /// </summary>
    private static bool IsAllowedRedirect(Uri from, Uri next) =>
        next.Scheme == Uri.UriSchemeHttps
        || (
            next.Scheme == Uri.UriSchemeHttp
            && from.Scheme == Uri.UriSchemeHttp
            && (next.Host == from.Host || (next.IsLoopback && from.IsLoopback))
        );

    private static async Task CopyAsync(
        Stream source,
        FileStream target,
        ResponseTimeout timeout,
        Action<long> progress
    )
    {
        var buffer = new byte[BufferBytes];
        while (true)
        {
            int count;
            try
            {
                count = await timeout.WaitAsync(token => source.ReadAsync(buffer, token).AsTask());
            }
            catch (IOException e)
            {
                // From the network, not from the disk.
                throw new HttpRequestException("the connection was lost.", e);
            }
            if (count == 0)
                return;
            target.Write(buffer, 0, count);
            progress(target.Length);
        }
    }

    private static void CheckLength(Uri address, long? length, long? expected)
    {
        if (expected is { } expectedLength && length is { } actual && actual != expectedLength)
            throw new InvalidDataException(
                $"{DownloadState.WithoutQuery(address)} has {actual:N0} bytes; expected {expectedLength:N0}. "
                    + "It is another file."
            );
        if (length > MaxBytes)
            throw new InvalidDataException(
                $"{DownloadState.WithoutQuery(address)} has {length:N0} bytes; the limit is {MaxBytes:N0}."
            );
    }

    private static void RejectOversized(Uri address, string part, FileStream target, long? expected)
    {
        target.Dispose();
        Discard(part);
        throw new InvalidDataException(
            expected is null
                ? $"{DownloadState.WithoutQuery(address)} has more than {MaxBytes:N0} bytes, the limit."
                : $"{DownloadState.WithoutQuery(address)} has more bytes than the expected {expected:N0}."
        );
    }

    private static bool IsTransient(HttpRequestException failure) =>
        failure.StatusCode switch
        {
            null => failure.HttpRequestError
                is not (
                    HttpRequestError.SecureConnectionError
                    or HttpRequestError.ProxyTunnelError
                    or HttpRequestError.UserAuthenticationError
                ),
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests => true,
            var status => status >= HttpStatusCode.InternalServerError,
        };

    private static long GetLength(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>
    /// Gets the number of bytes after which a partial file can be resumed; 0 if there are none, or their version is
    /// unknown.
    /// </summary>
    private static long GetResumeOffset(string part, Uri address) =>
        DownloadState.Read(GetStatePath(part), address)?.Condition is null ? 0 : GetLength(part);

    private static void Truncate(string part, long bytes)
    {
        using var file = new FileStream(part, FileMode.Open, FileAccess.Write);
        file.SetLength(bytes);
    }

    /// <summary>
    /// Removes a partial file and its state. The file goes first, so that a state never belongs to other bytes.
    /// </summary>
    private static void Discard(string part)
    {
        File.Delete(part);
        File.Delete(GetStatePath(part));
    }

    private static string GetPartPath(string file) => $"{file}.part";

    private static string GetStatePath(string part) => $"{part}.json";

    private static NetworkCredential? GetCredentials(Uri proxy) =>
        proxy.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var password]
            ? new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(string.Concat(password)))
            : null;
}
