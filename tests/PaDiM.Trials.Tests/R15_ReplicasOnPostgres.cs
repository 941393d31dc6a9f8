using System.Collections.Concurrent;
using System.Net;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Cluster;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Three replicas on PostgreSQL behind HAProxy, under load. One is drained, one is killed, the database ends its
/// connections, and a fit publishes a new version meanwhile.
/// </summary>
public sealed class R15_ReplicasOnPostgres
{
    private const int Replicas = 3;
    private static readonly int Clients = TrialLength.Of(6, 16);

    [Fact]
    public async Task Nothing_is_lost_beyond_what_a_killed_replica_had_in_progress()
    {
        PostgresServer.SkipIfMissing();
        ReverseProxy.SkipWithoutHaProxy();
        using var data = new TempDirectory();
        var database = await PostgresServer.CreateOptionsAsync();
        var ports = Enumerable.Range(0, Replicas).Select(_ => FreePort.Find()).ToArray();
        var replicas = new ServiceProcess[Replicas];
        var gone = new List<ServiceProcess>();
        try
        {
            for (var k = 0; k < Replicas; k++)
                await StartAsync(k);
            // Checks are five times as frequent as in production, so that the trial is short.
            await using var balancer = await ReverseProxy.StartHaProxyAsync(
                $"127.0.0.1:{FreePort.Find()}",
                [.. ports.Select(port => $"127.0.0.1:{port}")],
                checks: "400ms"
            );
            using var http = new HttpClient { BaseAddress = balancer.Address };
            var category = new CategoryClient(http, "part");
            await category.CreateFittedAsync(4);
            await using var load = new Load(category, Parts.Bad(1));
            await load.SeeAsync(Replicas);

            for (var round = 0; round < TrialLength.Of(1, 10); round++)
            {
                // Drained: no request fails.
                Assert.Equal(0, await replicas[1].TerminateAsync());
                gone.Add(replicas[1]);
                await StartAsync(1);
                await load.SeeAsync(Replicas);
                load.AssertFailures(0, "a replica was drained");

                // Killed: what it had in progress.
                await replicas[2].KillAsync();
                gone.Add(replicas[2]);
                await load.GoOnAsync();
                await StartAsync(2);
                await load.SeeAsync(Replicas);
                load.AssertFailures(Clients, "a replica was killed");

                // The database ends all connections, as a restart does: scores do not need it.
                await PostgresServer.ExecuteAsync(
                    $"{database[1].Value}",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                        + "AND pid <> pg_backend_pid()"
                );
                await load.GoOnAsync();
                load.AssertFailures(0, "the database ended its connections");

                // A new version, by a job that any replica may run: from its activation, two seconds until all have it.
                await category.UploadPartsAsync(100 + (10 * round), 2);
                var version = await category.FitAsync();
                await Task.Delay(TimeSpan.FromSeconds(2));
                load.Forget();
                await load.SeeAsync(Replicas);
                Assert.Equal([version], load.Versions);
                load.AssertFailures(0, "a version was published");
            }
            Assert.Equal(
                TrialLength.Of(1, 10) + 1,
                (await http.GetJsonAsync("/v1/categories/part/models")).Items("items").Length
            );
            Trial.Tell($"{load.Answered} scores, {load.Failed} failed");
        }
        finally
        {
            foreach (var replica in replicas.Where(replica => replica is not null).Concat(gone))
                await replica.DisposeAsync();
        }

        async Task StartAsync(int k) =>
            replicas[k] = await ServiceProcess.StartAsync(
                data.Path,
                [
                    .. database,
                    ("ASPNETCORE_URLS", $"http://127.0.0.1:{ports[k]}"),
                    ("ReplicaName", $"replica-{k}"),
                    // What comes through the balancer does not count as local.
                    ("Access", "open"),
                    ("DrainSeconds", 2),
                    ("JobLeaseSeconds", 3),
                    ("Threads", 1),
                ]
            );
    }

    /// <summary>Clients that score one image without a pause, and what they see.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(TrialLength.Of(100, 5));
        private readonly CancellationTokenSource _stop = new();
        private readonly ConcurrentDictionary<(string Replica, int Version), double> _seen = new();
        private readonly Task[] _clients;
        private volatile string _lastFailure = "";
        private int _answered,
            _failed,
            _judged;

        public Load(CategoryClient category, byte[] image) =>
            _clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => RunAsync(category, image)))];

        public int Answered => Volatile.Read(ref _answered);

        public int Failed => Volatile.Read(ref _failed);

        /// <summary>Gets the versions that scored since the last call of <see cref="Forget"/>.</summary>
        public int[] Versions => [.. _seen.Keys.Select(seen => seen.Version).Distinct()];

        public void Forget() => _seen.Clear();

        /// <summary>Waits until so many replicas have scored from now on, all of them alike.</summary>
        public async Task SeeAsync(int replicas)
        {
            Forget();
            await Eventually.TrueAsync(
                () => Task.FromResult(_seen.Keys.Select(seen => seen.Replica).Distinct().Count() == replicas),
                () => $"Of {replicas} replicas only {string.Join(", ", _seen.Keys)} score."
            );
            foreach (var version in _seen.GroupBy(seen => seen.Key.Version))
                Assert.All(version, seen => Assert.Equal(1, seen.Value / version.First().Value, 1e-6));
        }

        /// <summary>Waits for two more scores of each client.</summary>
        public async Task GoOnAsync()
        {
            var until = Answered + (2 * Clients);
            await Eventually.TrueAsync(() => Task.FromResult(Answered >= until), () => "Nothing is scored any more.");
        }

        public void AssertFailures(int most, string when)
        {
            var failed = Failed - _judged;
            _judged += failed;
            Assert.True(failed <= most, $"{failed} requests failed when {when}, the last one with {_lastFailure}.");
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_clients);
            _stop.Dispose();
        }

        private void Fail(string reason)
        {
            _lastFailure = reason;
            Interlocked.Increment(ref _failed);
        }

        private async Task RunAsync(CategoryClient category, byte[] image)
        {
            while (!_stop.IsCancellationRequested)
                try
                {
                    using var answer = await category.SendScoreAsync(image);
                    if (answer.StatusCode != HttpStatusCode.OK)
                    {
                        Fail($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                        continue;
                    }
                    var scored = await answer.JsonAsync(200);
                    _seen[(answer.Headers.GetValues(ResultHeaders.Replica).Single(), scored.Version())] = scored.Number(
                        "score"
                    );
                    Interlocked.Increment(ref _answered);
                    // Lines do not send as fast as they can; the replicas that start need processors too.
                    await Task.Delay(Pause);
                }
                catch (HttpRequestException e)
                {
                    Fail(e.Message);
                }
        }
    }
}
