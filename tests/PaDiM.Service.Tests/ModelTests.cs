using PaDiM.Service.Data;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public class ModelTests(SharedService shared)
{
    private const string MediaType = "application/octet-stream";

    [Fact]
    public async Task Adding_and_deleting_images_and_a_full_fit_come_to_the_same_scores()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("grown");
        await category.CreateAsync();
        var images = await category.UploadPartsAsync(0, 24);
        await category.FitAsync();

        // What was embedded once is not read again: not even when it is there no more.
        foreach (var blob in Directory.GetFiles(service.Get<DataDirectory>().Images, "*", SearchOption.AllDirectories))
            File.Delete(blob);
        await category.UploadPartsAsync(100, 6);
        foreach (var id in images.Take(5))
            Assert.Equal(204, (int)(await service.Http.DeleteAsync($"{category.Url}/images/{id}")).StatusCode);
        Assert.Equal(2, await category.FitAsync());
        Assert.Equal(3, await category.FitAsync(new { incremental = false }));

        var models = (await service.Http.GetJsonAsync($"{category.Url}/models")).Items();
        Assert.Equal([25, 25, 24], models.Select(model => model["imageCount"]!.GetValue<int>()));
        Assert.Equal(
            models[0].Number("threshold"),
            models[1].Number("threshold"),
            1e-4 * models[0].Number("threshold")
        );
        foreach (var bytes in new[] { Parts.Good(3), Parts.Good(900), Parts.Bad(901) })
        {
            var incremental = await category.ScoreAsync(bytes, "?model=2");
            var full = await category.ScoreAsync(bytes, "?model=3");
            Assert.Equal(full.Number("score"), incremental.Number("score"), 1e-4 * full.Number("score"));
            Assert.NotEqual(full.Number("score"), (await category.ScoreAsync(bytes, "?model=1")).Number("score"));
        }
    }

    [Fact]
    public async Task A_fit_that_must_not_be_activated_waits_until_it_is()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 3);
        await category.FitAsync(new { activate = false });
        await (await category.SendScoreAsync(Parts.Good(1))).ProblemAsync(409, "model_not_ready");
        await category.ScoreAsync(Parts.Good(1), "?model=1");
        await (await shared.Http.PostAsync($"{category.Url}/models/1/activate", null)).JsonAsync(200);
        await category.ScoreAsync(Parts.Good(1));
    }

    [Fact]
    public async Task Activation_and_rollback_change_scores_at_once()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 4);
        await category.FitAsync();
        var first = await category.ScoreAsync(Parts.Good(77));
        await category.UploadPartsAsync(30, 4);
        await category.FitAsync();
        var second = await category.ScoreAsync(Parts.Good(77));
        Assert.Equal((1, 2), (first["modelVersion"]!.GetValue<int>(), second["modelVersion"]!.GetValue<int>()));
        Assert.NotEqual(first.Number("score"), second.Number("score"));

        await (await shared.Http.DeleteAsync($"{category.Url}/models/2")).ProblemAsync(409, "model_active");
        var activated = await (await shared.Http.PostAsync($"{category.Url}/models/1/activate", null)).JsonAsync(200);
        Assert.True(activated["active"]!.GetValue<bool>());
        var back = await category.ScoreAsync(Parts.Good(77));
        Assert.Equal(
            (1, first.Number("score"), first.Number("threshold")),
            (back["modelVersion"]!.GetValue<int>(), back.Number("score"), back.Number("threshold"))
        );
        Assert.Equal(second.Number("score"), (await category.ScoreAsync(Parts.Good(77), "?model=2")).Number("score"));

        Assert.Equal(204, (int)(await shared.Http.DeleteAsync($"{category.Url}/models/2")).StatusCode);
        await (await shared.Http.DeleteAsync($"{category.Url}/models/2")).ProblemAsync(404, "model_not_found");
        await (await category.SendScoreAsync(Parts.Good(77), "?model=2")).ProblemAsync(404, "model_not_found");
        await (await shared.Http.PostAsync($"{category.Url}/models/2/activate", null)).ProblemAsync(
            404,
            "model_not_found"
        );
        foreach (var path in new[] { "2", "2/export", "0" })
            await (await shared.Http.GetAsync($"{category.Url}/models/{path}")).ProblemAsync(404, "model_not_found");
        await (await shared.Http.GetAsync($"{category.Url}/models/two")).ProblemAsync(404, "route_not_found");

        // Numbers are not used twice.
        Assert.Equal(3, await category.FitAsync());
    }

    [Fact]
    public async Task An_exported_model_scores_the_same_in_another_category()
    {
        var category = await shared.FittedAsync();
        var file = await ExportAsync(category);
        var other = await shared.NewCategoryAsync();
        var imported = await shared.Http.PostAsync($"{other.Url}/models/import", CategoryClient.Raw(file, MediaType));
        Assert.Equal($"{other.Url}/models/1", imported.Headers.Location?.OriginalString);
        var model = await imported.JsonAsync(201);
        Assert.Equal(
            (1, true, 12),
            (model["version"]!.GetValue<int>(), model["active"]!.GetValue<bool>(), model["imageCount"]!.GetValue<int>())
        );
        foreach (var bytes in new[] { Parts.Good(300), Parts.Bad(301) })
        {
            var here = await category.ScoreAsync(bytes);
            var there = await other.ScoreAsync(bytes);
            Assert.Equal(
                (here.Number("score"), here.Number("threshold"), here.Text("decision")),
                (there.Number("score"), there.Number("threshold"), there.Text("decision"))
            );
        }
        Assert.Equal(file, await ExportAsync(other));

        var waiting = await (
            await shared.Http.PostAsync(
                $"{other.Url}/models/import?activate=false",
                CategoryClient.Raw(file, MediaType)
            )
        ).JsonAsync(201);
        Assert.Equal((2, false), (waiting["version"]!.GetValue<int>(), waiting["active"]!.GetValue<bool>()));
        // The imported model holds no sums to go on with; the next fit starts from the images.
        await other.UploadPartsAsync(0, 3);
        Assert.Equal(3, await other.FitAsync());
    }

    [Fact]
    public async Task Files_that_are_no_model_are_refused()
    {
        var file = await ExportAsync(await shared.FittedAsync());
        var category = await shared.NewCategoryAsync();
        List<byte[]> bad =
        [
            [],
            "junk"u8.ToArray(),
            new byte[4096],
            Parts.Good(1),
            file[..7],
            file[..100],
            file[..(file.Length / 2)],
            file[..^1],
            [.. file, 0],
        ];
        for (var k = 1; k <= 8; k++)
            bad.Add(Flipped(file, file.Length / 2 + k * file.Length / 20));
        foreach (var bytes in bad)
            await (await ImportAsync(bytes)).ProblemAsync(422, "model_invalid");

        // A flip in the header either breaks it or changes what it says; nothing of it may break the service.
        for (var at = 0; at < 1500; at += 23)
            Assert.Contains((int)(await ImportAsync(Flipped(file, at))).StatusCode, new[] { 201, 422 });
        await (
            await shared.Http.PostAsync($"{category.Url}/models/import", CategoryClient.Raw(file, "application/json"))
        ).ProblemAsync(415, "unsupported_media_type");
        await (
            await shared.Http.PostAsync("/v1/categories/nowhere/models/import", CategoryClient.Raw(file, MediaType))
        ).ProblemAsync(404, "category_not_found");
        Assert.DoesNotContain(
            Directory.GetFiles(Path.Combine(shared.Service.Get<DataDirectory>().Models, category.Name)),
            path => path.Contains(".tmp-", StringComparison.Ordinal)
        );

        Task<HttpResponseMessage> ImportAsync(byte[] bytes) =>
            shared.Http.PostAsync($"{category.Url}/models/import?activate=false", CategoryClient.Raw(bytes, MediaType));
    }

    [Fact]
    public async Task A_damaged_model_never_scores()
    {
        using var data = new TempDirectory();
        await using (var before = await RunningService.StartAsync(data.Path))
        {
            var category = before.Category("damaged");
            await category.CreateFittedAsync(3);
            await category.FitAsync();
            await (await before.Http.PostAsync($"{category.Url}/models/1/activate", null)).JsonAsync(200);
        }
        await using var after = await RunningService.StartAsync(data.Path);
        var damaged = after.Category("damaged");
        foreach (
            var model in Directory
                .GetFiles(after.Get<DataDirectory>().Models, "*.safetensors", SearchOption.AllDirectories)
                .Where(path => !path.Contains("statistics", StringComparison.Ordinal))
                .Order()
                .Take(1)
        )
            await File.WriteAllBytesAsync(model, Flipped(await File.ReadAllBytesAsync(model), 9000));

        for (var k = 0; k < 3; k++)
            await (await damaged.SendScoreAsync(Parts.Good(1))).ProblemAsync(503, "model_corrupt");
        await (await damaged.SendScoreAsync(Parts.Good(1), "?model=1")).ProblemAsync(503, "model_corrupt");
        await (await after.Http.PostAsync($"{damaged.Url}/models/1/activate", null)).ProblemAsync(503, "model_corrupt");
        await (await after.Http.GetAsync($"{damaged.Url}/models/1/export")).ProblemAsync(503, "model_corrupt");
        Assert.Null((await after.Http.GetJsonAsync($"{damaged.Url}/threshold"))["threshold"]);

        await (await after.Http.PostAsync($"{damaged.Url}/models/2/activate", null)).JsonAsync(200);
        await damaged.ScoreAsync(Parts.Good(1));
    }

    [Fact]
    public async Task A_missing_file_is_a_problem_and_no_fault()
    {
        using var data = new TempDirectory();
        string[] images;
        await using (var before = await RunningService.StartAsync(data.Path))
        {
            var category = before.Category("missing");
            await category.CreateAsync();
            images = await category.UploadPartsAsync(0, 3);
            await category.FitAsync();
        }
        await using var after = await RunningService.StartAsync(data.Path);
        var missing = after.Category("missing");
        foreach (
            var path in new[] { after.Get<DataDirectory>().Models, after.Get<DataDirectory>().Images }.SelectMany(
                folder => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            )
        )
            File.Delete(path);
        await (await missing.SendScoreAsync(Parts.Good(1))).ProblemAsync(503, "model_corrupt");
        await (await after.Http.GetAsync($"{missing.Url}/models/1/export")).ProblemAsync(503, "model_corrupt");
        foreach (var path in new[] { "", "/thumbnail" })
            await (await after.Http.GetAsync($"{missing.Url}/images/{images[0]}{path}")).ProblemAsync(
                503,
                "image_damaged"
            );
    }

    [Fact]
    public async Task A_fit_never_reads_a_damaged_image()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("flipped");
        await category.CreateAsync();
        await category.UploadPartsAsync(0, 3);
        var blob = Directory.GetFiles(service.Get<DataDirectory>().Images, "*", SearchOption.AllDirectories)[0];
        await File.WriteAllBytesAsync(blob, Flipped(await File.ReadAllBytesAsync(blob), 5000));
        var job = await service.Http.FinishedAsync(await category.StartFitAsync());
        Assert.Equal(("failed", "image_damaged"), (job.Text("state"), job["error"]!.Text("code")));
        Assert.Contains(Path.GetFileName(blob), job["error"]!.Text("detail"), StringComparison.Ordinal);
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        var copy = bytes.ToArray();
        copy[at] ^= 1;
        return copy;
    }

    private async Task<byte[]> ExportAsync(CategoryClient category)
    {
        var response = await shared.Http.GetAsync($"{category.Url}/models/1/export");
        Assert.Equal((200, MediaType), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Equal(
            $"{category.Name}-1.safetensors",
            response.Content.Headers.ContentDisposition?.FileName?.Trim('"')
        );
        return await response.Content.ReadAsByteArrayAsync();
    }
}
