using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Faults;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Two replicas on the same data behind a balancer, under load; one after the other is stopped or killed and replaced.
/// </summary>
public sealed class R08_Replicas
{
    private const int Clients = 8;
    private static readonly TimeSpan PauseAtStarts = TimeSpan.FromMilliseconds(50);
    private static readonly (string, object)[] Options = [("DrainSeconds", 2), ("JobLeaseSeconds", 3), ("Threads", 1)];

    [Fact]
    public async Task A_replica_that_is_stopped_costs_no_request() => Assert.Equal(0, await RunAsync(kill: false));

    [Fact]
    public async Task A_replica_that_is_killed_costs_no_more_requests_than_it_had_under_way()
    {
        var rounds = TrialLength.Of(1, 20);
        Assert.InRange(await RunAsync(kill: true), 0, rounds * Clients);
    }

    /// <summary>Replaces one replica after the other and gives the number of requests that failed.</summary>
    private static async Task<int> RunAsync(bool kill)
    {
        using var data = new TempDirectory();
        var replicas = new Queue<ServiceProcess>();
        var gone = new List<ServiceProcess>();
        await using var balancer = new Balancer();
        var answered = 0;
        var failed = 0;
        var rounds = TrialLength.Of(1, 20);
        var isStarting = false;
        using var stop = new CancellationTokenSource();
        try
        {
            for (var k = 0; k < 2; k++)
                await JoinAsync();
            var category = new CategoryClient(replicas.Peek().Http, "part");
            await category.CreateFittedAsync(4);
            var score = (await category.ScoreAsync(Parts.Bad(1))).Number("score");
            var load = Enumerable.Range(0, Clients).Select(_ => Task.Run(() => LoadAsync(score))).ToArray();
            await Task.Delay(500);
            for (var round = 0; round < rounds; round++)
            {
                var leaving = replicas.Dequeue();
                if (kill)
                    await leaving.KillAsync();
                else
                    Assert.Equal(0, await leaving.TerminateAsync());
                balancer.Remove(leaving);
                gone.Add(leaving);
                Volatile.Write(ref isStarting, true);
                await JoinAsync();
                Volatile.Write(ref isStarting, false);
                await Task.Delay(500);
            }
            await stop.CancelAsync();
            await Task.WhenAll(load);
            Trial.Tell(
                $"{rounds} replicas {(kill ? "killed" : "stopped")}, {answered} requests answered, {failed} failed"
            );
            return failed;
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var replica in replicas.Concat(gone))
                await replica.DisposeAsync();
        }

        async Task JoinAsync()
        {
            var replica = await ServiceProcess.StartAsync(data.Path, Options);
            replicas.Enqueue(replica);
            balancer.Add(replica);
        }

        async Task LoadAsync(double score)
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var answer = await balancer.SendAsync(() =>
                        new HttpRequestMessage(HttpMethod.Post, "/v1/categories/part/score")
                        {
                            Content = CategoryClient.Raw(Parts.Bad(1), "image/bmp"),
                        }
                    );
                    Assert.Equal(score, (await answer.JsonAsync(200)).Number("score"));
                    Interlocked.Increment(ref answered);
                }
                catch (HttpRequestException)
                {
                    Interlocked.Increment(ref failed);
                }
                // A replica that starts would otherwise compete for the processor with all clients at their fastest.
                if (Volatile.Read(ref isStarting))
                    await Task.Delay(PauseAtStarts);
            }
        }
    }
}
