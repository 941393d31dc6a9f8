using System.Net.Http.Headers;
using System.Net.Http.Json;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Models;
using PaDiM.Service.TestSupport;
using PaDiM.Service.TestSupport.S3;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Objects;

/// <summary>The whole service with its images and models in a bucket.</summary>
public sealed class S3ServiceTests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private FakeS3 _server = null!;

    private string Model => _server.GetKeys("test/models/part/").Single(key => !key.Contains("statistics"));

    public async ValueTask InitializeAsync() => _server = await FakeS3.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task A_replica_downloads_a_model_once_and_scores_on_while_the_store_is_away()
    {
        double score;
        await using (var first = await StartAsync())
        {
            var category = first.Category("part");
            await category.CreateFittedAsync(4);
            score = await ScoreAsync(category);
            Assert.Equal(0, _server.Count("GET test/models/"));
            var images = await first.Http.GetJsonAsync($"{category.Url}/images");
            var id = images.Items()[0].Text("id");
            Assert.Equal(Parts.Good(0), await first.Http.GetByteArrayAsync($"{category.Url}/images/{id}"));
            await category.FitAsync();
            Assert.True((await first.Get<Scrub>().RunAsync(null, default)).IsClean());
        }
        Assert.Equal(4, _server.GetKeys("test/images/").Length);
        Assert.Empty(Directory.GetFiles(new DataDirectory(_data.Path).Images, "*", SearchOption.AllDirectories));

        // Another machine: the database is there, the copies are not.
        Directory.Delete(new DataDirectory(_data.Path).Copies, recursive: true);
        _server.Requests.Clear();
        await using (var next = await StartAsync())
        {
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => ScoreAsync(next.Category("part"))));
            Assert.Equal(score, await ScoreAsync(next.Category("part")));
            Assert.Equal(1, _server.Count("GET test/models/"));

            _server.Faults = _ => new S3Fault { Status = 503 };
            _server.Requests.Clear();
            Assert.Equal(score, await ScoreAsync(next.Category("part")));
            // What was inspected is put beside the scores, whenever it comes.
            Assert.DoesNotContain(
                _server.Requests,
                request => !request.Contains(" test/inspections/", StringComparison.Ordinal)
            );
            using var refused = await next.Category("part").UploadRawAsync(Parts.Good(99), "image/bmp");
            await refused.ProblemAsync(503, "storage_unavailable");
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        // A start while the store is away: the copy on the disk is enough.
        await using (var last = await StartAsync())
            Assert.Equal(score, await ScoreAsync(last.Category("part")));
    }

    [Fact]
    public async Task A_model_that_is_damaged_in_the_store_is_told_and_mended_when_it_is_back()
    {
        await using (var first = await StartAsync())
            await first.Category("part").CreateFittedAsync(2);
        Directory.Delete(new DataDirectory(_data.Path).Copies, recursive: true);
        var good = _server.Get(Model);
        _server.Damage(Model, bytes => [.. bytes[..^1], (byte)~bytes[^1]]);

        await using var next = await StartAsync();
        await (await next.Category("part").SendScoreAsync(Parts.Good(1))).ProblemAsync(503, "model_corrupt");
        var system = await next.Http.GetJsonAsync("/v1/system");
        Assert.Equal("corrupt", system["damagedModels"]!.AsArray().Single()!["state"]!.GetValue<string>());
        var report = await next.Get<Scrub>().RunAsync(null, default);
        Assert.Equal((1, 0), (report.Damaged.Count, report.Missing.Count));

        _server.Damage(Model, _ => good);
        Assert.True((await next.Get<Scrub>().RunAsync(null, default)).IsClean());
        await next.Category("part").ScoreAsync(Parts.Good(1));
    }

    [Fact]
    public async Task A_pinned_model_is_loaded_as_soon_as_the_store_is_back()
    {
        await using (var first = await StartAsync())
        {
            await first.Category("part").CreateFittedAsync(2);
            await (
                await first.Http.PatchAsync(
                    first.Category("part").Url,
                    JsonContent.Create(new { pinned = true }, new MediaTypeHeaderValue("application/merge-patch+json"))
                )
            ).JsonAsync(200);
        }
        Directory.Delete(new DataDirectory(_data.Path).Copies, recursive: true);
        _server.Faults = request =>
            request.StartsWith("GET test/models", StringComparison.Ordinal) ? new S3Fault { Status = 503 } : null;
        await using var next = await StartAsync();
        await IsAsync(() => _server.Count("GET test/models") > 10);
        Assert.Equal(0, next.Get<ModelCache>().Count);
        _server.Faults = _ => null;
        await IsAsync(() => next.Get<ModelCache>().Count == 1);

        static Task IsAsync(Func<bool> condition) =>
            Eventually.TrueAsync(() => Task.FromResult(condition()), () => "The model is not loaded again.");
    }

    /// <summary>The clock is the real one, so that a change that waits for the slow model never comes.</summary>
    [Fact]
    public async Task A_model_that_loads_slowly_keeps_no_change_of_another_category()
    {
        await using (var first = await StartAsync())
        {
            await first.Category("slow").CreateFittedAsync(2);
            await first.Category("part").CreateFittedAsync(2);
        }
        // The job must not be its own: then it would have the model already.
        await using var service = await StartAsync(("Role", "score"));
        await service.Category("slow").ScoreAsync(Parts.Good(1));
        await service.Category("part").ScoreAsync(Parts.Good(1));
        await using var next = await RunningService.StartAsync(_data.Path, [("Role", "fit"), .. _server.GetOptions()]);
        var release = new TaskCompletionSource();
        _server.Faults = request =>
            request.StartsWith("GET test/models/slow", StringComparison.Ordinal)
                ? new S3Fault { Wait = _ => release.Task }
                : null;
        // Of the same images it would be the same model, which has a copy here.
        await next.Category("slow").UploadPartsAsync(50, 1);
        await next.Category("slow").FitAsync();
        await (await next.Category("part").PatchThresholdAsync(new { threshold = 7.5 })).JsonAsync(200);
        await Eventually.TrueAsync(
            async () => (await service.Category("part").ScoreAsync(Parts.Good(1))).Number("threshold") == 7.5,
            () => "The change waits for the slow model."
        );
        Assert.Equal(1, (await service.Category("slow").ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>());
        release.SetResult();
        await Eventually.TrueAsync(
            async () =>
                (await service.Category("slow").ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>() == 2,
            () => "The slow model is never there."
        );
    }

    [Fact]
    public async Task A_fit_waits_for_a_store_that_is_away()
    {
        await using var service = await StartAsync();
        var category = service.Category("part");
        await category.CreateAsync();
        await category.UploadPartsAsync(0, 3);
        var reads = 0;
        _server.Faults = request =>
            request.StartsWith("GET test/images/", StringComparison.Ordinal) && ++reads <= 10
                ? new S3Fault { Status = 503 }
                : null;
        await category.FitAsync();
        Assert.True(reads > 10);
        await category.ScoreAsync(Parts.Good(1));
    }

    [Fact]
    public async Task A_sweep_removes_deleted_images_from_the_bucket()
    {
        await using var service = await StartAsync();
        var category = service.Category("part");
        await category.CreateAsync();
        var images = await category.UploadPartsAsync(0, 3);
        await service.Http.DeleteAsync($"{category.Url}/images/{images[0]}");
        Assert.Equal(0, await service.Get<OrphanSweeper>().SweepAsync(default));
        _server.Age(TimeSpan.FromMinutes(6));
        Assert.Single((await service.Get<Scrub>().RunAsync(null, default)).Orphans.Files);
        Assert.Equal(1, await service.Get<OrphanSweeper>().SweepAsync(default));
        Assert.Equal(2, _server.GetKeys("test/images/").Length);
    }

    [Theory]
    [InlineData("S3:Bucket", "", "S3:Bucket is required")]
    [InlineData("S3:Bucket", "Not_A_Bucket", "S3:Bucket must be")]
    [InlineData("S3:Endpoint", "ftp://x", "S3:Endpoint must be")]
    [InlineData("S3:Endpoint", "http://key:secret@x", "S3:Endpoint must be")]
    [InlineData("S3:Prefix", "/x", "S3:Prefix must be")]
    [InlineData("S3:SecretAccessKey", "", "belong together")]
    [InlineData("S3:TimeoutSeconds", 0, "S3:TimeoutSeconds must be")]
    public async Task Wrong_settings_are_told_at_start(string option, object value, string expected)
    {
        var wrong = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync((option, value)));
        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret@", wrong.Message, StringComparison.Ordinal);
    }

    private Task<RunningService> StartAsync(params (string Option, object Value)[] options) =>
        RunningService.StartAsync(_data.Path, [.. _server.GetOptions(), .. options]);

    private static async Task<double> ScoreAsync(CategoryClient category) =>
        (await category.ScoreAsync(Parts.Bad(1)))["score"]!.GetValue<double>();
}
