using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials.Cluster;

/// <summary>
/// Clients that score, upload and fit through balancers, and everything that they saw. What is refused or breaks off is
/// sent again with the same key, as the documentation asks of clients.
/// </summary>
internal sealed class Traffic : IAsyncDisposable
{
    public const int Scorers = 12,
        Uploaders = 2,
        Fitters = 2,
        Clients = Scorers + Uploaders + Fitters;

    private static readonly TimeSpan ScorePause = TimeSpan.FromMilliseconds(20),
        UploadPause = TimeSpan.FromMilliseconds(400),
        FitPause = TimeSpan.FromSeconds(1),
        RetryPause = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _stop = new();
    private readonly ReverseProxy[] _proxies;
    private readonly Func<HttpClient, HttpClient> _prepare;
    private readonly Task[] _clients;

    public Traffic(ReverseProxy[] proxies, Func<HttpClient, HttpClient> prepare)
    {
        (_proxies, _prepare) = (proxies, prepare);
        var image = Parts.Bad(1);
        _clients =
        [
            .. Enumerable.Range(0, Scorers).Select(i => Task.Run(() => ScoreAsync(i, image))),
            .. Enumerable.Range(0, Uploaders).Select(i => Task.Run(() => UploadAsync(i))),
            .. Enumerable.Range(0, Fitters).Select(i => Task.Run(() => FitAsync(i))),
        ];
    }

    /// <summary>All that was seen so far.</summary>
    public ConcurrentQueue<Answer> Answers { get; } = new();

    /// <summary>Jobs that were accepted, with what they came to.</summary>
    public ConcurrentDictionary<string, JsonNode?> Jobs { get; } = new();

    /// <summary>Images that were accepted, by their identifiers.</summary>
    public ConcurrentDictionary<(string Category, string Id), byte[]> Images { get; } = new();

    /// <summary>The category that a client fits, and others score.</summary>
    public static string GetFitted(int client) => $"part-{client % Fitters}";

    /// <summary>The category that a client uploads to.</summary>
    public static string GetStock(int client) => $"stock-{client % Uploaders}";

    /// <summary>Waits until all of these replicas have scored each category through each balancer, from now on.</summary>
    public async Task SeeAsync(params string[] replicas)
    {
        var from = DateTime.UtcNow;
        await Eventually.TrueAsync(
            () => Task.FromResult(CountSeen() == replicas.Length * Fitters * _proxies.Length),
            () =>
                $"Of {string.Join(", ", replicas)}, {CountSeen()} score; {Answers.LastOrDefault(a => a.Failure != null)}"
        );

        int CountSeen() =>
            Answers
                .Where(answer => answer.IsScore && answer.Begun >= from && replicas.Contains(answer.Replica))
                .Select(answer => (answer.Replica, answer.Category, answer.Proxy))
                .Distinct()
                .Count();
    }

    /// <summary>Waits until another job has been accepted and has succeeded.</summary>
    public async Task FitOnceMoreAsync()
    {
        var before = Jobs.Keys.ToHashSet();
        await Eventually.TrueAsync(
            () => Task.FromResult(Jobs.Any(job => job.Value is not null && !before.Contains(job.Key))),
            () => "No fit succeeds any more."
        );
    }

    /// <summary>Lets requests in progress end, and no more begin.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task ScoreAsync(int client, byte[] image)
    {
        using var http = Connect(client, out var proxy);
        var category = new CategoryClient(http, GetFitted(client / _proxies.Length));
        while (!_stop.IsCancellationRequested)
        {
            var (answer, body) = await SendAsync(
                proxy,
                category.Name,
                () => category.SendScoreAsync(image),
                isScore: true
            );
            Answers.Enqueue(
                body is null ? answer : answer with { Version = body.Version(), Score = body.Number("score") }
            );
            await Task.Delay(ScorePause);
        }
    }

    private async Task UploadAsync(int client)
    {
        using var http = Connect(client, out var proxy);
        var category = GetStock(client);
        for (var seed = 10_000 + client; !_stop.IsCancellationRequested; seed += Uploaders)
        {
            var bytes = Parts.Good(seed);
            var key = $"upload-{seed}";
            var body = await SendUntilAcceptedAsync(
                proxy,
                category,
                () =>
                    http.SendAsync(
                        new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{category}/images")
                        {
                            Content = CategoryClient.Raw(bytes, "image/bmp"),
                            Headers = { { "Idempotency-Key", key } },
                        }
                    )
            );
            Images[(category, body.Items("accepted")[0].Text("id"))] = bytes;
            await Task.Delay(UploadPause);
        }
    }

    private async Task FitAsync(int client)
    {
        using var http = Connect(client, out var proxy);
        var category = GetFitted(client);
        for (var i = 0; !_stop.IsCancellationRequested; i++)
        {
            var key = $"fit-{client}-{i}";
            var accepted = await SendUntilAcceptedAsync(
                proxy,
                category,
                () =>
                    http.SendAsync(
                        new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{category}/fits")
                        {
                            Headers = { { "Idempotency-Key", key } },
                        }
                    )
            );
            var id = accepted.Text("id");
            Jobs[id] = null;
            JsonNode job;
            do
            {
                await Task.Delay(RetryPause);
                job = await SendUntilAcceptedAsync(proxy, category, () => http.GetAsync($"/v1/jobs/{id}"));
            } while (job.Text("state") is "queued" or "running");
            Jobs[id] = job;
            await Task.Delay(FitPause);
        }
    }

    private HttpClient Connect(int client, out string proxy)
    {
        var chosen = _proxies[client % _proxies.Length];
        proxy = chosen.Name;
        return _prepare(new HttpClient { BaseAddress = chosen.Address, Timeout = TimeSpan.FromMinutes(3) });
    }

    private async Task<JsonNode> SendUntilAcceptedAsync(
        string proxy,
        string category,
        Func<Task<HttpResponseMessage>> send
    )
    {
        for (; ; )
        {
            var (answer, body) = await SendAsync(proxy, category, send, isScore: false);
            Answers.Enqueue(answer);
            if (body is not null)
                return body;
            await Task.Delay(RetryPause);
        }
    }

    private static async Task<(Answer Answer, JsonNode? Body)> SendAsync(
        string proxy,
        string category,
        Func<Task<HttpResponseMessage>> send,
        bool isScore
    )
    {
        var answer = new Answer(proxy, isScore, category, DateTime.UtcNow, default);
        try
        {
            using var response = await send();
            var text = await response.Content.ReadAsStringAsync();
            answer = answer with
            {
                Ended = DateTime.UtcNow,
                Replica = response.Headers.TryGetValues(ResultHeaders.Replica, out var names) ? names.Single() : null,
            };
            if (response.IsSuccessStatusCode)
                return (answer, JsonNode.Parse(text));
            return (
                answer with
                {
                    Failure = string.Create(CultureInfo.InvariantCulture, $"{(int)response.StatusCode} {text}"),
                    IsRefused =
                        response.StatusCode == HttpStatusCode.ServiceUnavailable
                        && response.Headers.RetryAfter is not null,
                },
                null
            );
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return (answer with { Ended = DateTime.UtcNow, Failure = e.Message }, null);
        }
    }
}
