using System.Net.Http.Json;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>Many clients that want the same at the same moment.</summary>
public sealed class R06_Races
{
    private const int Clients = 64;

    [Fact]
    public async Task The_same_key_the_same_category_and_the_same_images_are_one()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        for (var round = 0; round < TrialLength.Of(2, 40); round++)
        {
            var category = service.Category($"raced-{round}");
            var created = await Task.WhenAll(
                At(_ => category.Http.PutAsJsonAsync(category.Url, CategoryClient.SmallSettings))
            );
            Assert.Equal(
                (1, Clients - 1),
                (
                    created.Count(answer => (int)answer.StatusCode == 201),
                    created.Count(answer => (int)answer.StatusCode == 200)
                )
            );

            var uploads = await Task.WhenAll(
                At(_ => category.UploadAsync([("a.bmp", Parts.Good(1)), ("b.bmp", Parts.Good(2))]))
            );
            var images = new List<string>();
            foreach (var upload in uploads)
                images.AddRange((await upload.JsonAsync(200)).Items("accepted").Select(image => image.Text("id")));
            Assert.Equal(2, images.Distinct().Count());

            var bodies = await Task.WhenAll(
                At(async _ =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/fits")
                    {
                        Headers = { { "Idempotency-Key", "once" } },
                    };
                    return (await (await category.Http.SendAsync(request)).JsonAsync(202)).ToJsonString();
                })
            );
            Assert.Single(bodies.Distinct());
            Assert.Single((await service.Http.GetJsonAsync($"/v1/jobs?category={category.Name}")).Items());
        }
        await Trial.IsWholeAsync(service);
    }

    [Fact]
    public async Task Versions_that_are_activated_and_deleted_at_once_leave_one_that_scores()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("promoted");
        await category.CreateAsync();
        var scores = new Dictionary<int, double>();
        for (var version = 1; version <= 3; version++)
        {
            await category.UploadPartsAsync(2 * version, 2);
            await category.FitAsync();
            scores[version] = (await category.ScoreAsync(Parts.Bad(1))).Number("score");
        }
        for (var round = 0; round < TrialLength.Of(4, 100); round++)
        {
            var answers = await Task.WhenAll(
                At(client =>
                    client % 4 == 3
                        ? category.SendScoreAsync(Parts.Bad(1))
                        : category.Http.PostAsync($"{category.Url}/models/{1 + client % 3}/activate", null)
                )
            );
            foreach (var answer in answers)
            {
                var body = await answer.JsonAsync(200);
                if (body["score"] is not null)
                    Assert.Equal(scores[body.Version()], body.Number("score"));
            }
            var active = (await service.Http.GetJsonAsync(category.Url))["activeModelVersion"]!.GetValue<int>();
            var scored = await category.ScoreAsync(Parts.Bad(1));
            Assert.Equal((active, scores[active]), (scored.Version(), scored.Number("score")));
        }

        // Deleting races with activating: whatever is active in the end is there.
        var races = await Task.WhenAll(
            At(client =>
                client % 2 == 0
                    ? category.Http.DeleteAsync($"{category.Url}/models/2")
                    : category.Http.PostAsync($"{category.Url}/models/2/activate", null)
            )
        );
        Assert.All(races, answer => Assert.Contains((int)answer.StatusCode, new[] { 200, 204, 404, 409 }));
        await category.ScoreAsync(Parts.Bad(1));
        await Trial.IsWholeAsync(service);
    }

    private static Task<T>[] At<T>(Func<int, Task<T>> send)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<T>[] all =
        [
            .. Enumerable
                .Range(0, Clients)
                .Select(async client =>
                {
                    await start.Task;
                    return await send(client);
                }),
        ];
        start.SetResult();
        return all;
    }
}
