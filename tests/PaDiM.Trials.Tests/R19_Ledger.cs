using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Inspections;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// R19: SIGKILL while a line scores and its inspections are written, and retention while it scores.
/// </summary>
public sealed class R19_Ledger
{
    private const int Clients = 2;

    /// <summary>
    /// A kill may lose the rows of the last second. Beside other trials on the same cores a batch may take longer, so that
    /// only the full form, which runs alone, holds it to the second.
    /// </summary>
    private static readonly TimeSpan MostLost = TimeSpan.FromSeconds(TrialLength.Of(10, 1));

    [Fact]
    public async Task A_kill_loses_the_last_second_at_most_and_no_row_of_a_durable_category()
    {
        using var data = new TempDirectory();
        await using (var first = await RunningService.StartAsync(data.Path))
        {
            await first.Category("line").CreateFittedAsync(4);
            var model = await first.Http.GetByteArrayAsync("/v1/categories/line/models/1/export");
            await first.Category("durable").CreateAsync(new { inspections = new { durable = true } });
            await (
                await first.Http.PostAsync(
                    "/v1/categories/durable/models/import?activate=true",
                    CategoryClient.Raw(model, "application/octet-stream")
                )
            ).JsonAsync(201);
        }
        var random = new Random(19);
        var rounds = TrialLength.Of(3, 100);
        var answered = new Dictionary<string, List<string>> { ["line"] = [], ["durable"] = [] };
        var (lost, oldest) = (0, TimeSpan.Zero);
        var service = await ServiceProcess.StartAsync(data.Path, ("JobWorkers", 0));
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                // The model is in memory, and the code is compiled.
                foreach (var category in answered.Keys)
                    for (var k = 0; k < 5; k++)
                        await (await SendAsync(service.Http, category, "warm", Parts.Good(k))).JsonAsync(200);
                var lines = answered
                    .Keys.SelectMany(category =>
                        Enumerable
                            .Range(0, Clients)
                            .Select(client =>
                                ScoreAsync(service, category, $"{category}-{round}-{client}", Parts.Good(client))
                            )
                    )
                    .ToArray();
                await Task.Delay(300 + random.Next(1200));
                var killed = Stopwatch.GetTimestamp();
                await service.KillAsync();
                var sent = await Task.WhenAll(lines);
                await service.DisposeAsync();

                Assert.Equal("ok", Trial.IntegrityOfLedger(data.Path));
                service = await ServiceProcess.StartAsync(data.Path, ("JobWorkers", 0));
                var kept = new Dictionary<string, HashSet<string>>();
                foreach (var category in answered.Keys)
                    kept[category] = await ListAsync(service.Http, category);
                foreach (var line in sent)
                {
                    var missing = line.Answered.SkipWhile(answer => kept[line.Category].Contains(answer.Id)).ToArray();
                    // What is written is written in order, so that only the end is missing.
                    Assert.DoesNotContain(missing, answer => kept[line.Category].Contains(answer.Id));
                    if (line.Category == "durable")
                        Assert.Empty(missing);
                    else if (missing.Length > 0)
                    {
                        lost += missing.Length;
                        var age = Stopwatch.GetElapsedTime(missing[0].At, killed);
                        oldest = age > oldest ? age : oldest;
                        Assert.InRange(age, TimeSpan.MinValue, MostLost);
                    }
                    answered[line.Category].AddRange(line.Answered.Select(answer => answer.Id));
                    // The client cannot know what is lost, and sends the last ones again.
                    foreach (var answer in line.Answered.TakeLast(3).Concat(missing))
                        await (await SendAsync(service.Http, line.Category, answer.Id, Parts.Good(1))).JsonAsync(200);
                }
            }
            foreach (var (category, ids) in answered)
            {
                await Eventually.TrueAsync(
                    async () => (await ListAsync(service.Http, category)).IsSupersetOf(ids),
                    () => $"Inspections of {category} are missing."
                );
                var rows = (await ListAsync(service.Http, category)).Count;
                Assert.InRange(rows, ids.Count, ids.Count + 1 + rounds * Clients);
                var summary = await service.Http.GetJsonAsync($"/v1/inspections/summary?category={category}");
                Assert.Equal(rows, summary.Items("spans").Sum(span => (int)span.Number("parts")));
            }
        }
        finally
        {
            await service.DisposeAsync();
        }
        await using var after = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await Trial.IsWholeAsync(after);
        Trial.Tell(
            $"{rounds} kills, {answered["line"].Count} and {answered["durable"].Count} answers: {lost} rows lost, the oldest "
                + $"{oldest.TotalMilliseconds:f0} ms before the kill, none that is durable"
        );
    }

    [Fact]
    public async Task Retention_deletes_what_is_old_while_the_line_scores()
    {
        const int old = 6000;
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("line");
        await category.CreateFittedAsync(4, new { imageSize = 64, inspections = new { days = 2 } });
        await FillAsync(service, old);
        var scores = TrialLength.Of(200, 5000);
        var times = new List<double>();
        var line = Task.Run(async () =>
        {
            for (var k = 0; k < scores; k++)
            {
                var began = Stopwatch.GetTimestamp();
                await category.ScoreAsync(Parts.Good(k % 4));
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        });
        var deleted = 0;
        for (var rounds = 0; rounds < 3 || !line.IsCompleted; rounds++)
        {
            deleted += await service.Get<InspectionRetention>().RunAsync(default);
            if (rounds < 2)
                await FillAsync(service, old);
            await Task.Delay(10);
        }
        await line;
        await service.SettleAsync();
        await using var db = service.Get<IDatabaseEngine>().CreateLedger();
        Assert.Equal(scores, await db.Inspections.CountAsync());
        Assert.Equal(0, service.Get<InspectionLedger>().Lost);
        times.Sort();
        Trial.Tell(
            $"{deleted} rows deleted beside {scores} scores: p50 {times[scores / 2]:f1} ms, the slowest {times[^1]:f1} ms"
        );
    }

    private static int _filled;

    /// <summary>Inserts rows that are a month old.</summary>
    private static async Task FillAsync(RunningService service, int count)
    {
        var start = InspectionKey.FromTime(DateTime.UtcNow.AddDays(-30));
        var rows = Enumerable
            .Range(0, count)
            .Select(k => new StoredInspection
            {
                Key = start + k * 1024L,
                Id = $"old-{Interlocked.Increment(ref _filled)}",
                Category = "line",
                Part = $"P{k}",
                Sha256 = new string('0', 64),
                Timings = "0,0,0,0,0,0",
                Replica = "a",
            })
            .ToList();
        foreach (var batch in rows.Chunk(500))
        {
            await using var db = service.Get<IDatabaseEngine>().CreateLedger();
            Assert.Equal(batch.Length, (await LedgerRows.InsertAsync(db, batch, default)).Count);
        }
    }

    /// <summary>Scores until the service is gone. Gives the inspections that were answered, in order.</summary>
    private static async Task<Line> ScoreAsync(ServiceProcess service, string category, string prefix, byte[] image)
    {
        var line = new Line(category, []);
        try
        {
            for (var k = 0; ; k++)
            {
                var id = $"{prefix}-{k}";
                var answer = await (await SendAsync(service.Http, category, id, image)).JsonAsync(200);
                // A durable row that is not on the disk in time says so, and may be lost.
                if (answer.Items("warnings").All(warning => warning.Text("code") != "not_recorded"))
                    line.Answered.Add((id, Stopwatch.GetTimestamp()));
            }
        }
        catch (HttpRequestException)
        {
            return line;
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, string category, string id, byte[] image)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/{category}/score")
        {
            Content = CategoryClient.Raw(image, "image/bmp"),
            Headers = { { "X-Inspection-Id", id } },
        };
        return await http.SendAsync(request);
    }

    /// <summary>Lists the inspections of a category; each must be there once.</summary>
    private static async Task<HashSet<string>> ListAsync(HttpClient http, string category)
    {
        var ids = new HashSet<string>();
        for (string? cursor = ""; cursor is not null; )
        {
            var page = await http.GetJsonAsync($"/v1/inspections?category={category}&limit=1000&cursor={cursor}");
            foreach (var row in page.Items())
                Assert.True(ids.Add(row.Text("id")), $"{row.Text("id")} is there twice.");
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        return ids;
    }

    /// <summary>What one client sent.</summary>
    private sealed record Line(string Category, List<(string Id, long At)> Answered);
}
