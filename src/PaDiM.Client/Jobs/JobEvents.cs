using System.Net.Http.Headers;
using System.Net.ServerSentEvents;

namespace PaDiM.Client;

/// <summary>
/// The events of a job. A stream that breaks, ends early or falls silent is opened again, and continues behind the last
/// event if the service numbers them.
/// </summary>
internal sealed class JobEvents(Connection connection, TimeProvider time, string id) : IAsyncDisposable
{
    /// <summary>The service sends something every 15 s.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(45),
        LongestPause = TimeSpan.FromSeconds(15);

    private const int MostFailures = 20;

    private readonly Query _path = new("jobs", id, "events");
    private HttpResponseMessage? _response;
    private SseParser<string>? _parser;
    private IAsyncEnumerator<SseItem<string>>? _events;
    private CancellationTokenSource? _silence;
    private CancellationTokenRegistration _cancelled;
    private string _lastId = "";
    private string? _last;
    private int _failures;

    /// <summary>Waits for the next change of the job.</summary>
    /// <returns>The job as JSON.</returns>
    /// <exception cref="PadimException">The service refuses, or has not been reached for minutes.</exception>
    public async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan? wait = null;
            try
            {
                if (_events is null)
                    await OpenAsync(cancellationToken).ConfigureAwait(false);
                _silence!.CancelAfter(LongestSilence);
                if (await _events!.MoveNextAsync().ConfigureAwait(false))
                {
                    _lastId = _parser!.LastEventId;
                    if (_events.Current is not { EventType: "job", Data: var data } || data == _last)
                        continue;
                    _failures = 0;
                    return _last = data;
                }
                await CloseAsync().ConfigureAwait(false);
                if (++_failures > MostFailures)
                    throw Failures.Unreachable(new IOException("The events of the job end before the job does."));
            }
            catch (Exception fault) when (IsPassing(fault, cancellationToken))
            {
                await CloseAsync().ConfigureAwait(false);
                if (++_failures > MostFailures)
                    throw fault as PadimException ?? Failures.Unreachable(fault);
                wait = (fault as PadimException)?.RetryAfter;
            }
            await Task.Delay(wait ?? GetPause(_failures), time, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    private static bool IsPassing(Exception fault, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested
        && fault
            is HttpRequestException
                or IOException
                or OperationCanceledException
                or PadimException { IsTransient: true };

    private static TimeSpan GetPause(int failures) =>
        TimeSpan.FromSeconds(Math.Min(Math.Pow(2, failures - 1), LongestPause.TotalSeconds));

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        _silence = new CancellationTokenSource(LongestSilence, time);
        _cancelled = cancellationToken.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).Cancel(),
            _silence
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, _path.ToString());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (_lastId.Length > 0)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", _lastId);
        _response = await connection.OpenAsync(request, Connection.Download, _silence.Token).ConfigureAwait(false);
        if (_response.Content.Headers.ContentType?.MediaType != "text/event-stream")
            throw Failures.Unexpected(_response);
        _parser = SseParser.Create(
            await _response.Content.ReadAsStreamAsync(_silence.Token).ConfigureAwait(false),
            static (_, data) => System.Text.Encoding.UTF8.GetString(data)
        );
        _events = _parser.EnumerateAsync(_silence.Token).GetAsyncEnumerator(_silence.Token);
    }

    private async ValueTask CloseAsync()
    {
        if (_events is { } events)
            await events.DisposeAsync().ConfigureAwait(false);
        _events = null;
        _response?.Dispose();
        _response = null;
        await _cancelled.DisposeAsync().ConfigureAwait(false);
        _silence?.Dispose();
        _silence = null;
    }
}
