using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// SIGKILL at a random moment of uploads by four clients, then a new process; the clients send all of it again.
/// </summary>
public sealed class R02_KilledUploads
{
    private const int Clients = 4,
        Files = 3;

    [Fact]
    public async Task No_row_is_without_its_file_and_what_is_sent_again_is_one_image()
    {
        using var data = new TempDirectory();
        var random = new Random(2);
        var rounds = TrialLength.Of(3, 200);
        var cut = 0;
        var service = await ServiceProcess.StartAsync(data.Path, ("JobWorkers", 0));
        try
        {
            await new CategoryClient(service.Http, "cut").CreateAsync();
            for (var round = 0; round < rounds; round++)
            {
                var uploads = Enumerable
                    .Range(0, Clients)
                    .Select(client => SendAsync(service, round, client))
                    .ToArray();
                await Task.Delay(random.Next(250));
                await service.KillAsync();
                cut += (await Task.WhenAll(uploads)).Count(whole => !whole);
                await service.DisposeAsync();

                service = await ServiceProcess.StartAsync(data.Path, ("JobWorkers", 0));
                Assert.Equal("ok", Trial.IntegrityOf(data.Path));
                Assert.All(
                    await Task.WhenAll(
                        Enumerable.Range(0, Clients).Select(client => SendAsync(service, round, client))
                    ),
                    Assert.True
                );
                Assert.Equal(
                    Clients * Files * (round + 1),
                    (await service.Http.GetJsonAsync("/v1/categories/cut"))["images"]!["normal"]!.GetValue<int>()
                );
            }
        }
        finally
        {
            await service.DisposeAsync();
        }
        await using var after = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        await Trial.IsWholeAsync(after);
        Trial.Tell(
            $"{rounds} kills, {cut} of {rounds * Clients} uploads cut short; {Clients * Files * rounds} images, each "
                + "once"
        );
    }

    /// <summary>Sends the files of one client; false where no whole answer came.</summary>
    private static async Task<bool> SendAsync(ServiceProcess service, int round, int client)
    {
        var first = Files * (Clients * round + client);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/categories/cut/images")
        {
            Content = CategoryClient.Form([
                .. Enumerable.Range(first, Files).Select(seed => ("files", $"{seed}.bmp", Parts.Good(seed))),
            ]),
            Headers = { { "Idempotency-Key", $"{round}-{client}" } },
        };
        try
        {
            return (await (await service.Http.SendAsync(request)).JsonAsync(200)).Items("accepted").Length == Files;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
