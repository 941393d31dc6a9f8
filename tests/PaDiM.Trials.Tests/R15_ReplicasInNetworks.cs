using System.Diagnostics;
using System.Globalization;
using PaDiM.Service.TestSupport;
using PaDiM.Service.TestSupport.S3;
using PaDiM.Trials.Cluster;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Three replicas with PostgreSQL, its standby and a bucket, each on a machine of its own, behind HAProxy and nginx. 16
/// clients score, upload and fit, while one part after the other fails. In full form only:
/// <see cref="R15_ReplicasOnPostgres"/> is the short one.
/// </summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class R15_ReplicasInNetworks
{
    private const string Primary = "db1",
        Standby = "db2",
        Store = "store",
        Front = "front";

    private static readonly string[] Replicas = ["replica-0", "replica-1", "replica-2"];

    /// <summary>How long a balancer may take to notice that a network is cut; its probes end after six seconds.</summary>
    private static readonly TimeSpan Notice = TimeSpan.FromSeconds(8);

    /// <summary>How long it takes to send a signal and to see the process end.</summary>
    private static readonly TimeSpan KillTime = TimeSpan.FromSeconds(1);

    private readonly List<Incident> _incidents = [];

    [Fact]
    public async Task Nothing_is_lost_whatever_part_fails()
    {
        Assert.SkipUnless(TrialLength.Full, "In full form only (PADIM_TRIALS=full): it takes several minutes.");
        PostgresServer.SkipIfMissing();
        ReverseProxy.SkipWithoutHaProxy();
        ReverseProxy.SkipWithoutNginx();
        Assert.SkipUnless(CephGateway.IsInstalled, "Ceph's gateway is not installed.");
        await using var network = await Network.StartAsync([.. Replicas, Primary, Standby, Store, Front]);
        using var database = await PostgresPair.StartAsync(network, Primary, Standby);
        await using var store = await CephGateway.StartAsync(network.GetAddress(Store), network.Enter(Store));
        (string Option, object Value)[] options =
        [
            .. PostgresServer.Options(database.ConnectionString),
            .. store.GetOptions("trial"),
            ("DrainSeconds", 5),
            ("JobLeaseSeconds", 5),
        ];
        var key = await CreateKeyAsync(options);
        await using var replicas = new ReplicaSet(network, options);
        // As nginx asks for in deploy/nginx/replicas.conf.
        foreach (
            var (name, value) in new[]
            {
                ("tcp_keepalive_time", 3),
                ("tcp_keepalive_intvl", 1),
                ("tcp_keepalive_probes", 3),
                ("tcp_retries2", 5),
            }
        )
            await network.SetAsync(Front, $"net.ipv4.{name}", value);
        await replicas.StartAsync(Replicas[0]);
        string[] addresses = [.. Replicas.Select(replicas.GetAddress)];
        await using var haProxy = await ReverseProxy.StartHaProxyAsync(
            $"{network.GetAddress(Front)}:8080",
            addresses,
            through: network.Enter(Front)
        );
        await using var nginx = await ReverseProxy.StartNginxAsync(
            $"{network.GetAddress(Front)}:8081",
            addresses,
            network.Enter(Front)
        );
        using var http = Authorise(new HttpClient { BaseAddress = haProxy.Address });
        await MeasureAsync(http, replicas, database);

        foreach (var category in Enumerable.Range(0, Traffic.Fitters).Select(Traffic.GetFitted))
            await new CategoryClient(http, category).CreateFittedAsync(8);
        foreach (var category in Enumerable.Range(0, Traffic.Uploaders).Select(Traffic.GetStock))
            await new CategoryClient(http, category).CreateAsync();
        await using var traffic = new Traffic([haProxy, nginx], Authorise);
        for (var round = 0; round < Rounds; round++)
            await RunAsync(network, replicas, database, traffic);
        await FailOverAsync(network, replicas, database, traffic);
        await traffic.SeeAsync(Replicas);
        await traffic.FitOnceMoreAsync();
        await traffic.StopAsync();

        Answer[] answers = [.. traffic.Answers];
        Verdict.Tell(answers, _incidents);
        await AssertJobsAsync(http, traffic);
        await AssertImagesAsync(http, traffic);
        Verdict.AssertFailures(answers, _incidents);
        Verdict.AssertScores(answers);
        Verdict.AssertVersions(
            answers,
            _incidents,
            [
                .. traffic.Jobs.Values.Select(job =>
                    (
                        job!.Text("category"),
                        DateTime.Parse(
                            job!.Text("finishedAt"),
                            CultureInfo.InvariantCulture,
                            DateTimeStyles.AdjustToUniversal
                        ),
                        (int)job!.Number("modelVersion")
                    )
                ),
            ]
        );

        HttpClient Authorise(HttpClient client)
        {
            client.DefaultRequestHeaders.Add("X-Api-Key", key);
            return client;
        }
    }

    /// <summary>Rounds of incidents; <c>PADIM_ROUNDS</c> says how many.</summary>
    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("PADIM_ROUNDS"), out var rounds) ? rounds : 3;

    private async Task RunAsync(Network network, ReplicaSet replicas, PostgresPair database, Traffic traffic)
    {
        await traffic.SeeAsync(Replicas);
        await traffic.FitOnceMoreAsync();

        var drained = Begin(new Incident("drained and replaced", DateTime.UtcNow));
        Assert.Equal(0, await replicas[Replicas[0]].TerminateAsync());
        await replicas.StartAsync(Replicas[0]);
        await EndAsync(drained, traffic);

        await replicas[Replicas[1]].KillAsync();
        // The kill was a moment before; a request that began after it cannot have been on the replica.
        var now = DateTime.UtcNow;
        var killed = Begin(new Incident("killed and replaced", now - KillTime) { FailsUntil = now });
        await traffic.FitOnceMoreAsync();
        await replicas.StartAsync(Replicas[1]);
        await EndAsync(killed, traffic);

        var paused = Begin(new Incident("paused for 12 s", DateTime.UtcNow) { Absent = Replicas[2] });
        await replicas[Replicas[2]].SignalAsync("STOP");
        await Task.Delay(TimeSpan.FromSeconds(12));
        await replicas[Replicas[2]].SignalAsync("CONT");
        await EndAsync(paused, traffic);

        var restarted = Begin(
            new Incident("PostgreSQL restarted", DateTime.UtcNow) { RefusesWrites = true, HidesVersions = true }
        );
        await database.RestartAsync();
        await WaitForDatabaseAsync(replicas);
        await EndAsync(restarted, traffic);

        var away = Begin(new Incident("store away for 30 s", DateTime.UtcNow) { RefusesWrites = true });
        await network.CutAsync(Store);
        await Task.Delay(TimeSpan.FromSeconds(30));
        await network.JoinAsync(Store);
        await EndAsync(away, traffic);

        now = DateTime.UtcNow;
        var cut = Begin(
            new Incident("network of a replica cut for 20 s", now) { FailsUntil = now + Notice, Absent = Replicas[0] }
        );
        await network.CutAsync(Replicas[0]);
        await Task.Delay(TimeSpan.FromSeconds(20));
        await network.JoinAsync(Replicas[0]);
        await EndAsync(cut, traffic);
    }

    /// <summary>The primary vanishes without a word, and its standby takes over.</summary>
    private async Task FailOverAsync(Network network, ReplicaSet replicas, PostgresPair database, Traffic traffic)
    {
        var failover = Begin(
            new Incident("failover to the standby", DateTime.UtcNow) { RefusesWrites = true, HidesVersions = true }
        );
        await network.CutAsync(Primary);
        await Task.Delay(TimeSpan.FromSeconds(3));
        await database.PromoteAsync();
        var promoted = Stopwatch.GetTimestamp();
        await WaitForDatabaseAsync(replicas);
        Trial.Tell(
            string.Create(
                CultureInfo.InvariantCulture,
                $"All replicas have the database again {Stopwatch.GetElapsedTime(promoted).TotalSeconds:f1} s after the "
                    + $"standby was promoted"
            )
        );
        await EndAsync(failover, traffic);
    }

    private static Task WaitForDatabaseAsync(ReplicaSet replicas) =>
        Task.WhenAll(
            Replicas.Select(replica =>
                Eventually.TrueAsync(
                    async () =>
                        (await replicas[replica].Http.GetJsonAsync("/health/ready"))["checks"]!.Text("database")
                        == "ok",
                    () => $"{replica} does not find the database again."
                )
            )
        );

    private Incident Begin(Incident incident)
    {
        _incidents.Add(incident);
        return incident;
    }

    private static async Task EndAsync(Incident incident, Traffic traffic)
    {
        incident.Ended = DateTime.UtcNow;
        await traffic.SeeAsync(Replicas);
        await traffic.FitOnceMoreAsync();
    }

    private static async Task<string> CreateKeyAsync((string Option, object Value)[] options)
    {
        var environment = options.ToDictionary(
            option => $"Padim__{option.Option.Replace(":", "__", StringComparison.Ordinal)}",
            option => FormattableString.Invariant($"{option.Value}")
        );
        // The first command creates the schema, as the first replica would.
        Assert.Equal(0, (await ServiceProcess.RunInAsync(environment, "upgrade")).ExitCode);
        var (code, output, error) = await ServiceProcess.RunInAsync(
            environment,
            "keys",
            "create",
            "--name",
            "trial",
            "--scope",
            "admin"
        );
        Assert.True(code == 0, error);
        return output.Trim();
    }

    /// <summary>Starts the replicas one by one, and measures what they score at the default settings.</summary>
    private static async Task MeasureAsync(HttpClient http, ReplicaSet replicas, PostgresPair database)
    {
        var category = new CategoryClient(http, "line");
        await category.CreateFittedAsync(30, new { });
        var image = Parts.Good(1);
        for (var count = 1; count <= Replicas.Length; count++)
        {
            if (count > 1)
                await replicas.StartAsync(Replicas[count - 1]);
            await SendAsync(TimeSpan.FromSeconds(5));
            var (before, ledgerBefore) = (await CountAsync("NOT"), await CountAsync(""));
            var processorTime = replicas.ProcessorTime;
            var (scores, seconds, seen) = await SendAsync(TimeSpan.FromSeconds(15));
            processorTime = replicas.ProcessorTime - processorTime;
            var (busy, ledger) = (await CountAsync("NOT") - before, await CountAsync("") - ledgerBefore);
            before = await CountAsync("NOT");
            await Task.Delay(TimeSpan.FromSeconds(seconds));
            var idle = await CountAsync("NOT") - before;
            Assert.Equal(count, seen);
            Trial.Tell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{count} replicas: {scores / seconds:f1} images/s, {processorTime.TotalMilliseconds / scores:f1} ms of CPU each; {busy} statements in {scores} scores, {idle} in as "
                        + $"long without any: {(double)(busy - idle) / scores:f4} per score. {ledger} for the ledger"
                )
            );
            // The keys are read once a second, and written every five minutes, for as long as requests come.
            Assert.InRange(busy - idle, long.MinValue, 2L * count * (long)(seconds + 2));
            // Rows are written in batches behind the answers, four times a second.
            Assert.InRange(ledger, 1, 5L * count * (long)(seconds + 2));
        }

        async Task<(int Scores, double Seconds, int Replicas)> SendAsync(TimeSpan duration)
        {
            var began = Stopwatch.GetTimestamp();
            var answered = await Task.WhenAll(
                Enumerable
                    .Range(0, Traffic.Clients)
                    .Select(_ =>
                        Task.Run(async () =>
                        {
                            var names = new List<string>();
                            while (Stopwatch.GetElapsedTime(began) < duration)
                            {
                                using var answer = await category.SendScoreAsync(image);
                                await answer.JsonAsync(200);
                                names.Add(answer.Headers.GetValues("X-Padim-Replica").Single());
                            }
                            return names;
                        })
                    )
            );
            return (
                answered.Sum(names => names.Count),
                Stopwatch.GetElapsedTime(began).TotalSeconds,
                answered.SelectMany(names => names).Distinct().Count()
            );
        }

        Task<long> CountAsync(string not) =>
            database.CountAsync(
                "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = 'padim' "
                    + $"AND query {not} LIKE '%ledger.%' AND query NOT LIKE '%pg_stat_statements%' AND query NOT SIMILAR TO '(BEGIN|COMMIT|ROLLBACK)%'"
            );
    }

    /// <summary>Every job that was accepted succeeded, once, and there are no others.</summary>
    private static async Task AssertJobsAsync(HttpClient http, Traffic traffic)
    {
        Assert.All(traffic.Jobs.Values, job => Assert.Equal("succeeded", job!.Text("state")));
        var expected = traffic.Jobs.Count;
        var models = 0;
        foreach (var category in Enumerable.Range(0, Traffic.Fitters).Select(Traffic.GetFitted))
        {
            var jobs = (await http.GetJsonAsync($"/v1/jobs?category={category}&limit=1000")).Items();
            var versions = (await http.GetJsonAsync($"/v1/categories/{category}/models?limit=1000")).Items();
            // The first fit is not the traffic's.
            Assert.Equal(jobs.Length, versions.Length);
            Assert.Equal(jobs.Length, versions.Select(version => version.Number("version")).Distinct().Count());
            models += jobs.Length - 1;
        }
        Assert.Equal(expected, models);
        Trial.Tell(
            $"{expected} fits, each published once; "
                + $"{traffic.Jobs.Values.Count(job => job!.Number("attempts") > 1)} were taken up by another replica"
        );
    }

    /// <summary>Every image that was accepted is there, once, with its bytes.</summary>
    private static async Task AssertImagesAsync(HttpClient http, Traffic traffic)
    {
        foreach (var category in Enumerable.Range(0, Traffic.Uploaders).Select(Traffic.GetStock))
            Assert.Equal(
                traffic.Images.Keys.Count(image => image.Category == category),
                (await http.GetJsonAsync($"/v1/categories/{category}"))["images"]!["normal"]!.GetValue<int>()
            );
        foreach (var ((category, id), bytes) in traffic.Images)
            Assert.Equal(bytes, await http.GetByteArrayAsync($"/v1/categories/{category}/images/{id}"));
        Trial.Tell($"{traffic.Images.Count} images, each there once");
    }
}
