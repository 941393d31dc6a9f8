using System.Collections.Concurrent;
using System.Net.Sockets;
using PaDiM.Service.TestSupport;

namespace PaDiM.Trials.Faults;

/// <summary>
/// A load balancer as small as they come: asks each replica for its readiness ten times a second, sends requests in
/// turn to those that are ready, and, like HAProxy and nginx, tries another one only where no connection came about, so
/// that nothing is sent twice; one that broke off gets nothing more until it is ready again. Keeps connections.
/// </summary>
internal sealed class Balancer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<ServiceProcess, bool> _ready = new();
    private readonly Task _polling;
    private int _turn;

    public Balancer() => _polling = PollAsync();

    public void Add(ServiceProcess replica) => _ready[replica] = true;

    public void Remove(ServiceProcess replica) => _ready.TryRemove(replica, out _);

    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> request)
    {
        for (var tries = 0; ; tries++)
        {
            var replicas = _ready
                .Where(pair => pair.Value)
                .Select(pair => pair.Key)
                .DefaultIfEmpty(_ready.Keys.First())
                .ToArray();
            var replica = replicas[(uint)Interlocked.Increment(ref _turn) % replicas.Length];
            try
            {
                return await replica.Http.SendAsync(request());
            }
            catch (HttpRequestException e)
                when (e
                        is {
                            HttpRequestError: HttpRequestError.ConnectionError,
                            InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused }
                        }
                    && tries < 3
                )
            {
                _ready.TryUpdate(replica, false, true);
            }
            catch (HttpRequestException)
            {
                _ready.TryUpdate(replica, false, true);
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _polling;
        _stop.Dispose();
    }

    private async Task PollAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
                foreach (var replica in _ready.Keys)
                    // What it answered before it broke off is no news.
                    if (_ready.TryGetValue(replica, out var before))
                        _ready.TryUpdate(replica, await IsReadyAsync(replica), before);
        }
        catch (OperationCanceledException)
        {
            // The trial is over.
        }
    }

    private static async Task<bool> IsReadyAsync(ServiceProcess replica)
    {
        try
        {
            using var answer = await replica.Http.GetAsync("/health/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or ObjectDisposedException or TaskCanceledException)
        {
            return false;
        }
    }
}
