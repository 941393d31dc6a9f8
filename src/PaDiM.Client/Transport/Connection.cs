using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace PaDiM.Client;

/// <summary>Sends requests and reads answers. All features go through it.</summary>
internal sealed class Connection(HttpClient http, PadimClientOptions options, TimeProvider time)
{
    /// <summary>Small answers of requests that change nothing.</summary>
    private static readonly RequestTraits Reading = new() { IsRepeatable = true };

    /// <summary>Files and events, which come as long as they come.</summary>
    public static readonly RequestTraits Download = new()
    {
        IsRepeatable = true,
        IsTransfer = true,
        IsBuffered = false,
    };

    public Task<T> GetAsync<T>(Query path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path.ToString()), Reading, type, cancellationToken);

    /// <summary>Sends a body of JSON.</summary>
    public Task<TAnswer> SendAsync<TBody, TAnswer>(
        HttpMethod method,
        Query path,
        TBody body,
        JsonTypeInfo<TBody> bodyType,
        JsonTypeInfo<TAnswer> type,
        bool isRepeatable,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            new HttpRequestMessage(method, path.ToString()) { Content = Json(body, bodyType) },
            new RequestTraits { IsRepeatable = isRepeatable },
            type,
            cancellationToken
        );

    /// <summary>Starts a job. Its key lets it be sent again without starting a second one.</summary>
    public Task<JobResponse> StartJobAsync<T>(
        Query path,
        T body,
        JsonTypeInfo<T> type,
        string? idempotencyKey,
        CancellationToken cancellationToken
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path.ToString()) { Content = Json(body, type) };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey ?? Guid.NewGuid().ToString("N"));
        return SendAsync(request, Reading, PadimJson.Default.JobResponse, cancellationToken);
    }

    /// <summary>Sends a request without a body.</summary>
    public Task<T> SendAsync<T>(
        HttpMethod method,
        Query path,
        JsonTypeInfo<T> type,
        bool isRepeatable,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            new HttpRequestMessage(method, path.ToString()),
            new RequestTraits { IsRepeatable = isRepeatable },
            type,
            cancellationToken
        );

    /// <summary>Sends a stream as the body, and reads the answer.</summary>
    public Task<T> SendAsync<T>(
        HttpMethod method,
        Query path,
        ImageSource body,
        JsonTypeInfo<T> type,
        IProgress<long>? progress,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            new HttpRequestMessage(method, path.ToString())
            {
                Content = ProgressContent.Wrap(new SourceContent(body), progress),
            },
            new RequestTraits { IsTransfer = true, CanSendAgain = body.CanSendAgain },
            type,
            cancellationToken
        );

    /// <summary>Gets a file as a stream. Who disposes the stream closes the connection.</summary>
    public async Task<Stream> DownloadAsync(Query path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path.ToString());
        var response = await OpenAsync(request, Download, cancellationToken).ConfigureAwait(false);
        return await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task DeleteAsync(Query path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, path.ToString());
        (await OpenAsync(request, Reading, cancellationToken).ConfigureAwait(false)).Dispose();
    }

    /// <summary>Sends a request and reads its answer. The request is disposed.</summary>
    public async Task<T> SendAsync<T>(
        HttpRequestMessage request,
        RequestTraits traits,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
    {
        using var sent = request;
        using var response = await OpenAsync(request, traits, cancellationToken).ConfigureAwait(false);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                return await JsonSerializer.DeserializeAsync(stream, type, cancellationToken).ConfigureAwait(false)
                    ?? throw Failures.Unexpected(response);
        }
        catch (JsonException fault)
        {
            throw Failures.Unexpected(response, fault);
        }
    }

    /// <summary>Sends a request and gives its answer, once it has succeeded.</summary>
    /// <exception cref="PadimException">The service reported a problem, or did not answer.</exception>
    public async Task<HttpResponseMessage> OpenAsync(
        HttpRequestMessage request,
        RequestTraits traits,
        CancellationToken cancellationToken
    )
    {
        var budget = traits.Deadline ?? (traits.IsTransfer ? null : options.Timeout);
        (traits with { StartedAt = time.GetTimestamp(), Budget = budget }).Mark(request);
        using var expired = new CancellationTokenSource(budget ?? Timeout.InfiniteTimeSpan, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(expired.Token, cancellationToken);
        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return response;
            using (response)
                throw await Failures.ReadAsync(response, either.Token).ConfigureAwait(false);
        }
        catch (BrokenCircuitException fault)
        {
            throw Failures.CircuitOpen(fault);
        }
        catch (TimeoutRejectedException fault)
        {
            throw Failures.TimedOut(fault);
        }
        catch (OperationCanceledException fault)
            when (expired.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw traits.Deadline is null ? Failures.TimedOut(fault) : Failures.DeadlinePassed();
        }
        catch (SourceException fault)
        {
            ExceptionDispatchInfo.Throw(fault.InnerException!);
            throw;
        }
        catch (Exception fault) when (fault is HttpRequestException or (IOException and not FileNotFoundException))
        {
            throw Failures.Unreachable(fault);
        }
    }

    /// <summary>Reads a list page by page, as the caller goes through it.</summary>
    public async IAsyncEnumerable<TItem> ListAsync<TPage, TItem>(
        Func<Query> path,
        JsonTypeInfo<TPage> type,
        Func<TPage, (IReadOnlyList<TItem> Items, string? Next)> open,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        for (string? cursor = null; ; )
        {
            var page = await GetAsync(path().With("cursor", cursor), type, cancellationToken).ConfigureAwait(false);
            (var items, cursor) = open(page);
            foreach (var item in items)
                yield return item;
            if (cursor is null)
                yield break;
        }
    }

    public static HttpContent Json<T>(T body, JsonTypeInfo<T> type) =>
        new ReadOnlyMemoryContent(JsonSerializer.SerializeToUtf8Bytes(body, type))
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
        };
}
