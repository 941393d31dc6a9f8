using System.Net;
using System.Net.Http.Headers;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Downloads one file over HTTP. A connection that is cut, in this run or an earlier one, costs only what had not come
/// yet: the part stays, and the rest is asked for by <c>Range</c> and <c>If-Range</c>. A server that does not know
/// ranges, or has another file by now, makes it begin anew. One at a time in a folder.
/// </summary>
/// <param name="http">Without a timeout of its own, and without redirects: they are followed here, and must keep to
/// https.</param>
/// <param name="time">Waits between attempts, and for a server that has fallen silent.</param>
public sealed class FileDownload(HttpClient http, TimeProvider time)
{
    /// <summary>Largest file where its size is not known, in bytes.</summary>
    public const long MaxBytes = 2L << 30;

    /// <summary>Attempts in a row of which none but the first brought a byte more than there was.</summary>
    private const int MaxFruitlessAttempts = 5;

    private const int MaxRedirects = 10;

    private const int BufferBytes = 1 << 17;

    /// <summary>Pause before the second attempt; each further one is twice as long.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence after which a connection counts as cut.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>An HTTP client for downloads.</summary>
    /// <param name="proxy">The proxy to use; null for the one that <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c>,
    /// <c>ALL_PROXY</c> and <c>NO_PROXY</c> name, or none.</param>
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

    /// <summary>Fetches a file.</summary>
    /// <param name="address">Where it lies; its last segment names the file.</param>
    /// <param name="folder">Where to put it; created when absent.</param>
    /// <param name="bytes">The size that it must have; null where that is not known.</param>
    /// <param name="progress">Told of every piece.</param>
    /// <param name="stop">Stops; the part stays.</param>
    /// <returns> The file, whole as far as its length tells; its hash is the caller's to check. Until <see
    /// cref="Remove"/> the next call fetches only its last byte, where the server still has this version. </returns>
    /// <exception cref="InvalidDataException">The server has another file, or a larger one, or refuses, or leads to a
    /// place without https, with a sentence that says so.</exception>
    /// <exception cref="IOException">The server cannot be reached, or the disk is full; what has come stays where the
    /// rest can be asked for.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder must not be written to.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
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
        // Of an earlier call.
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
                        $"{DownloadState.WithoutQuery(address)} could not be downloaded: {e.Message.TrimEnd('.')}.{(GetResumeOffset(part, address) > 0 ? " What has come is kept; the same command goes on from there." : "")}",
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

    /// <summary>Removes a file that was fetched, and all that is kept of its download.</summary>
    /// <exception cref="IOException">It is in use.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder must not be written to.</exception>
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
        // Of a part that is whole the last byte comes again: the answer shows whether the server still has this file.
        if (start > 0 && start == known!.Length)
            Truncate(part, --start);
        using var patience = new ResponseTimeout(IdleTimeout, time, stop);
        using var response = await SendAsync(address, start > 0 ? start : null, known?.Condition, patience);
        var goesOn =
            start > 0
            && response.StatusCode == HttpStatusCode.PartialContent
            && response.Content.Headers.ContentRange?.From == start
            && known!.Matches(response);
        if (
            !goesOn
            && response.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable
        )
        {
            Discard(part);
            throw new HttpRequestException("The server has another file by now.");
        }
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException(
                $"the server answers {(int)response.StatusCode} {response.ReasonPhrase}.",
                null,
                response.StatusCode
            );
        var state = goesOn ? known! : DownloadState.FromResponse(address, response);
        // Before its state: a part of one version is never taken for one of another.
        if (!goesOn)
            Discard(part);
        CheckLength(address, state.Length, bytes);
        state.Write(GetStatePath(part));
        await using var source = await response.Content.ReadAsStreamAsync(stop);
        using (var target = new FileStream(part, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            await CopyAsync(
                source,
                target,
                patience,
                count =>
                {
                    if (count > (bytes ?? MaxBytes))
                        RejectOversized(address, part, target, bytes);
                    progress(new DownloadProgress(count, state.Length));
                }
            );
        }
        var come = GetLength(part);
        if (state.Length is { } length && come != length)
            throw new HttpRequestException($"{come:N0} of {length:N0} bytes came.");
        if (bytes is { } right && come != right)
            Discard(part);
        CheckLength(address, come, bytes);
    }

    /// <summary>Asks for the file, or for the rest of it, where it lies in the end.</summary>
    /// <exception cref="HttpRequestException">The server did not answer.</exception>
    /// <exception cref="InvalidDataException">It leads to a place that must not be asked, or on and on.</exception>
    private async Task<HttpResponseMessage> SendAsync(
        Uri address,
        long? from,
        RangeConditionHeaderValue? condition,
        ResponseTimeout patience
    )
    {
        var place = address;
        for (var redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, place);
            if (from is not null)
            {
                request.Headers.Range = new RangeHeaderValue(from, null);
                request.Headers.IfRange = condition;
            }
            var response = await patience.WaitAsync(token =>
                http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)
            );
            if (
                response.Headers.Location is not { } next
                || (int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)
            )
                return response;
            response.Dispose();
            next = new Uri(place, next);
            if (!IsAllowedRedirect(place, next))
                throw new InvalidDataException(
                    $"{DownloadState.WithoutQuery(address)} leads to {next.Scheme}://{next.Host}, which is not https; it is not asked."
                );
            place = next;
        }
        throw new InvalidDataException(
            $"{DownloadState.WithoutQuery(address)} leads from one place to another, more than {MaxRedirects} times."
        );
    }

    /// <summary>
    /// Whether one place may lead to another: to https; from one that is not, within the same host or machine.
    /// </summary>
    private static bool IsAllowedRedirect(Uri place, Uri next) =>
        next.Scheme == Uri.UriSchemeHttps
        || (
            next.Scheme == Uri.UriSchemeHttp
            && place.Scheme == Uri.UriSchemeHttp
            && (next.Host == place.Host || (next.IsLoopback && place.IsLoopback))
        );

    private static async Task CopyAsync(Stream source, FileStream target, ResponseTimeout patience, Action<long> told)
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
            if (count == 0)
                return;
            target.Write(buffer, 0, count);
            told(target.Length);
        }
    }

    private static void CheckLength(Uri address, long? length, long? expected)
    {
        if (expected is { } right && length is { } other && other != right)
            throw new InvalidDataException(
                $"{DownloadState.WithoutQuery(address)} has {other:N0} bytes; {right:N0} are right. It is another file."
            );
        if (length > MaxBytes)
            throw new InvalidDataException(
                $"{DownloadState.WithoutQuery(address)} has {length:N0} bytes; at most {MaxBytes:N0} are read."
            );
    }

    private static void RejectOversized(Uri address, string part, FileStream target, long? expected)
    {
        target.Dispose();
        Discard(part);
        throw new InvalidDataException(
            $"{DownloadState.WithoutQuery(address)} has more than the {expected ?? MaxBytes:N0} bytes that {(expected is null ? "are read" : "are right")}."
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
    /// Bytes of a part behind which the rest can be asked for; 0 where there are none, or nothing tells what they are
    /// of.
    /// </summary>
    private static long GetResumeOffset(string part, Uri address) =>
        DownloadState.Read(GetStatePath(part), address)?.Condition is null ? 0 : GetLength(part);

    private static void Truncate(string part, long bytes)
    {
        using var file = new FileStream(part, FileMode.Open, FileAccess.Write);
        file.SetLength(bytes);
    }

    /// <summary>Removes a part and its state, the part first: a state is never one of other bytes.</summary>
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
