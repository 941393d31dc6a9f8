using System.Diagnostics;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials.Support;

/// <summary>Debian's HAProxy in front of replicas, with the settings of <c>deploy/compose/haproxy.cfg</c>.</summary>
internal sealed class HaProxy : IAsyncDisposable
{
    private const string Program = "/usr/sbin/haproxy";
    private readonly TempDirectory _folder = new();
    private readonly Process _process;

    private HaProxy(IEnumerable<int> replicas)
    {
        var port = FreePort.Find();
        var path = _folder.Combine("haproxy.cfg");
        // Checks are five times as frequent as there, so that the short form of a trial is short.
        File.WriteAllText(
            path,
            $"""
            global
                maxconn 1000
            defaults
                mode http
                timeout connect 2s
                timeout client 60s
                timeout server 60s
                option redispatch
                retries 2
                retry-on conn-failure empty-response
            frontend padim
                bind 127.0.0.1:{port}
                default_backend replicas
            backend replicas
                balance leastconn
                http-request disable-l7-retry unless METH_GET or METH_HEAD
                option httpchk GET /health/ready
                default-server check inter 400ms fall 2 rise 1
            {string.Join('\n', replicas.Select((replica, i) => $"    server replica-{i} 127.0.0.1:{replica}"))}

            """
        );
        _process = Process.Start(
            new ProcessStartInfo(Program, ["-q", "-db", "-f", path])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        _ = _process.StandardOutput.ReadToEndAsync();
        _ = _process.StandardError.ReadToEndAsync();
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>Gets what sends requests to the balancer.</summary>
    public HttpClient Http { get; }

    /// <summary>Skips the test where there is no HAProxy.</summary>
    public static void SkipIfMissing() => Assert.SkipUnless(File.Exists(Program), "HAProxy is not installed.");

    /// <summary>Starts it in front of replicas that listen on these ports of loopback, or will.</summary>
    public static async Task<HaProxy> StartAsync(IEnumerable<int> replicas)
    {
        var balancer = new HaProxy(replicas);
        await balancer.WaitForReplicasAsync();
        return balancer;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private Task WaitForReplicasAsync() =>
        Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    using var answer = await Http.GetAsync("/health/ready");
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            () => $"No replica answers through HAProxy (ended: {_process.HasExited})."
        );
}
