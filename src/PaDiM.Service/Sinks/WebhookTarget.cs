using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace PaDiM.Service.Sinks;

/// <summary>Sends CloudEvents by HTTP, to addresses that it may connect to.</summary>
internal sealed class WebhookTarget : SinkTarget
{
    private const int MaxAnswerBytes = 1024,
        MaxHeadKilobytes = 16,
        MaxShown = 300;

    /// <summary>Connections end after this time, so that a receiver may move.</summary>
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(5),
        BodyPatience = TimeSpan.FromSeconds(1);

    private readonly Uri _url;
    private readonly string[] _secrets;
    private readonly bool _allowPrivate;
    private readonly TimeProvider _time;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly HttpClient _http;

    /// <summary>Creates a client.</summary>
    /// <param name="settings">Where to.</param>
    /// <param name="secrets">What signs.</param>
    /// <param name="time">The clock of the signatures.</param>
    /// <param name="resolve">Looks up a name; null for the system's way.</param>
    public WebhookTarget(
        WebhookRequest settings,
        string[] secrets,
        TimeProvider time,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null
    )
    {
        _url = new Uri(settings.Url!);
        _secrets = secrets;
        _allowPrivate = settings.AllowPrivate;
        _time = time;
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                // A proxy would look the name up itself, and connect to whatever it finds.
                UseProxy = false,
                AutomaticDecompression = DecompressionMethods.None,
                MaxResponseHeadersLength = MaxHeadKilobytes,
                MaxResponseDrainSize = MaxAnswerBytes,
                PooledConnectionLifetime = ConnectionLife,
                ConnectCallback = ConnectAsync,
            }
        )
        {
            // The time-out of the sink counts, by the clock of the service.
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public override async Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken)
    {
        var body = InspectionEvent.Write(message);
        var timestamp = _time.GetUtcNow().ToUnixTimeSeconds();
        var id = message.Inspection.Id;
        using var request = new HttpRequestMessage(HttpMethod.Post, _url);
        request.Content = new ReadOnlyMemoryContent(body)
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/cloudevents+json") { CharSet = "utf-8" } },
        };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSignature.Sign(_secrets, id, timestamp, body.Span));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("PaDiM.Service", null));
        try
        {
            using var response = await _http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            );
            var said = $"HTTP {(int)response.StatusCode}{await ReadAsync(response, cancellationToken)}";
            if (response.IsSuccessStatusCode)
                return said;
            throw new DeliveryException(
                (int)response.StatusCode is >= 300 and < 400 ? $"{said} (redirects are not followed)" : said,
                !IsPassing(response.StatusCode)
            )
            {
                RetryAfter = GetRetryAfter(response.Headers.RetryAfter),
            };
        }
        catch (HttpRequestException e)
        {
            // What the guard refused will be refused again.
            if (e.InnerException is DeliveryException refused)
                throw new DeliveryException(refused.Message, refused.IsRefused, e);
            throw new DeliveryException(Describe(e), inner: e);
        }
        catch (IOException e)
        {
            throw new DeliveryException(Describe(e), inner: e);
        }
    }

    public override ValueTask DisposeAsync()
    {
        _http.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>
    /// Looks the name up once, and connects to the address that was checked: a name that changes its address in between
    /// changes nothing.
    /// </summary>
    private async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context,
        CancellationToken cancellationToken
    )
    {
        var host = context.DnsEndPoint.Host;
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, cancellationToken);
        var allowed = found.Where(address => AddressGuard.Allows(address, _allowPrivate)).ToArray();
        if (allowed.Length == 0)
            throw new DeliveryException(
                found.Length == 0
                    ? $"{host} has no address."
                    : $"{host} has the address {found[0]}, which webhooks do not connect to"
                        + (_allowPrivate ? "." : " unless allowPrivate is set."),
                isRefused: found.Length > 0
            );
        Exception? last = null;
        foreach (var address in allowed)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw last!;
    }

    /// <summary>
    /// Reads the beginning of an answer, for people. The status has been said: a body that does not come, or does not
    /// end, changes nothing.
    /// </summary>
    private async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaxAnswerBytes];
        var length = 0;
        using var patience = new CancellationTokenSource(BodyPatience, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(both.Token);
            while (
                length < bytes.Length && await stream.ReadAsync(bytes.AsMemory(length), both.Token) is var read and > 0
            )
                length += read;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException)
        {
            // What has come is shown.
        }
        var text = string.Concat(
            Encoding
                .UTF8.GetString(bytes, 0, length)
                .EnumerateRunes()
                .Take(MaxShown)
                .Select(rune => Rune.IsControl(rune) ? " " : rune.ToString())
        );
        return string.IsNullOrWhiteSpace(text) ? "" : $": {text.Trim()}";
    }

    /// <summary>Gets whether a status says something about the moment and not about the message.</summary>
    private static bool IsPassing(HttpStatusCode status) =>
        (int)status >= 500
        || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || (int)status == 425;

    private TimeSpan? GetRetryAfter(RetryConditionHeaderValue? value) =>
        value?.Delta ?? (value?.Date is { } date ? date - _time.GetUtcNow() : null);

    private static string Describe(Exception exception) =>
        exception.InnerException switch
        {
            AuthenticationException e => $"TLS failed: {e.Message}",
            SocketException e => e.Message,
            { } e => e.Message,
            null => exception.Message,
        };
}
