using System.Collections.Concurrent;
using System.Net.Sockets;
using PaDiM.Service.Tests.Support;

namespace PaDiM.Trials.Faults;

/// <summary>
/// A load balancer as small as they come: asks each replica for its readiness ten times a second, sends requests in turn to those that are ready, and, like HAProxy and nginx, tries
/// another one only where no connection came about, so that nothing is sent twice; one that broke off gets nothing more until it is ready again. Keeps connections.
/// </summary>
internal sealed class Balancer : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<ServiceProcess, bool> ready = new();
    private readonly Task polling;
    private int turn;

    public Balancer() => polling = PollAsync();

    public void Add(ServiceProcess replica) => ready[replica] = true;

    public void Remove(ServiceProcess replica) => ready.TryRemove(replica, out _);

    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> request)
    {
        for (var tries = 0; ; tries++)
        {
            var replicas = ready.Where(pair => pair.Value).Select(pair => pair.Key).DefaultIfEmpty(ready.Keys.First()).ToArray();
            var replica = replicas[(uint)Interlocked.Increment(ref turn) % replicas.Length];
            try
            {
                return await replica.Http.SendAsync(request());
            }
            catch (HttpRequestException e) when (e is { HttpRequestError: HttpRequestError.ConnectionError, InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } && tries < 3)
            {
                ready.TryUpdate(replica, false, true);
            }
            catch (HttpRequestException)
            {
                ready.TryUpdate(replica, false, true);
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await polling;
        stop.Dispose();
    }

    private async Task PollAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
                foreach (var replica in ready.Keys)
                    // What it answered before it broke off is no news.
                    if (ready.TryGetValue(replica, out var before)) ready.TryUpdate(replica, await IsReadyAsync(replica), before);
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
