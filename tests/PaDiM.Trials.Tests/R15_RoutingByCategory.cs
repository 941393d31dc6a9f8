using System.Net;
using PaDiM.TestSupport;
using PaDiM.Trials.Cluster;

namespace PaDiM.Trials;

/// <summary>The configuration of <c>deploy/haproxy/by-category.cfg</c>, in front of servers that only say who they are.</summary>
public sealed class R15_RoutingByCategory
{
    private const int Replicas = 3,
        Categories = 60;

    [Fact]
    public async Task A_category_stays_with_its_replica_and_moves_only_when_that_is_gone()
    {
        ReverseProxy.SkipWithoutHaProxy();
        var replicas = Enumerable.Range(0, Replicas).Select(i => new NamedServer($"{i}")).ToArray();
        try
        {
            await using var proxy = await ReverseProxy.StartHaProxyAsync(
                $"127.0.0.1:{FreePort.Find()}",
                [.. replicas.Select(replica => replica.Address)],
                checks: "100ms",
                file: ("haproxy", "by-category.cfg")
            );
            using var http = new HttpClient { BaseAddress = proxy.Address };
            var before = await AskAsync(http);
            Assert.Equal(before, await AskAsync(http));
            // Even enough: of 60 categories each has 20 on average.
            Assert.All(
                Enumerable.Range(0, Replicas),
                replica => Assert.InRange(before.Count(name => name == $"{replica}"), 8, 36)
            );

            replicas[0].Dispose();
            var after = await AskAsync(http);
            Assert.DoesNotContain("0", after);
            foreach (var (was, now) in before.Zip(after).Where(pair => pair.First != "0"))
                Assert.Equal(was, now);
        }
        finally
        {
            foreach (var replica in replicas)
                replica.Dispose();
        }
    }

    /// <summary>Gets who scores each category.</summary>
    private static async Task<string[]> AskAsync(HttpClient http)
    {
        var names = new List<string>();
        for (var i = 0; i < Categories; i++)
        {
            using var answer = await http.PostAsync($"/v1/categories/part-{i}/score?heatmap=overlay", null);
            answer.EnsureSuccessStatusCode();
            names.Add(await answer.Content.ReadAsStringAsync());
        }
        return [.. names];
    }

    /// <summary>Answers every request with its name.</summary>
    private sealed class NamedServer : IDisposable
    {
        private readonly HttpListener _listener = new();

        public NamedServer(string name)
        {
            Address = $"127.0.0.1:{FreePort.Find()}";
            _listener.Prefixes.Add($"http://{Address}/");
            _listener.Start();
            _ = AnswerAsync(System.Text.Encoding.ASCII.GetBytes(name));
        }

        public string Address { get; }

        public void Dispose() => _listener.Close();

        private async Task AnswerAsync(byte[] name)
        {
            try
            {
                for (; ; )
                {
                    var context = await _listener.GetContextAsync();
                    context.Response.Close(name, willBlock: false);
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // It is gone.
            }
        }
    }
}
