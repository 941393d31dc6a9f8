using System.Collections.Concurrent;
using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>From nothing to a heatmap, as in the README, against a real service.</summary>
public sealed class WalkTests(SharedService shared)
{
    private static readonly CategoryRequest Small = new()
    {
        ImageSize = 64,
        Reduction = new ReductionRequest { Dimensions = 16 },
        BlurSigma = 2,
    };

    [Fact]
    public async Task Create_upload_fit_score_and_change_the_threshold()
    {
        var client = shared.Client;
        var name = shared.NewName();
        using var folder = new TempDirectory();
        for (var seed = 0; seed < 12; seed++)
            await File.WriteAllBytesAsync(folder.Combine($"{seed:000}.bmp"), Parts.Good(seed));
        await File.WriteAllTextAsync(folder.Combine("999.bmp"), "not an image");
        var progress = new Reports<UploadProgress>();
        var changes = new Reports<JobResponse>();

        Assert.Equal(64, (await client.Categories.PutAsync(name, Small)).ImageSize);
        var files = Directory.GetFiles(folder.Path).Order().Select(ImageSource.FromFile);
        var results = await client.Images.UploadAsync(name, files, progress: progress).ToArrayAsync();
        var model = await client.Fits.RunAsync(name, progress: changes);
        var bad = await client.ScoreAsync(name, Parts.Bad(70), new ScoreOptions { PartId = "SN-1", Contours = true });
        using var picture = await client.ScorePictureAsync(name, Parts.Bad(70));
        using var png = new MemoryStream();
        await picture.Content.CopyToAsync(png);
        var change = new ThresholdRequest { FalseRejectRate = 0.2 };
        var preview = await client.Thresholds.PreviewAsync(name, change);
        var threshold = await client.Thresholds.ChangeAsync(name, change);

        Assert.Equal(12, results.Count(result => result.Image is not null));
        var refused = Assert.Single(results, result => result.Error is not null);
        Assert.Equal("999.bmp", refused.FileName);
        Assert.Equal(13, progress.All[^1].Files);
        Assert.True(progress.All[^1].Bytes > 12 * Parts.Good(0).Length);
        Assert.Equal(1, model.Version);
        Assert.Equal(JobState.Succeeded, changes.All[^1].State);
        Assert.Equal(Decision.Anomalous, bad.Decision);
        Assert.NotEmpty(Assert.IsType<IReadOnlyList<IReadOnlyList<float>>>(bad.Regions[0].Contour, exactMatch: false));
        Assert.Equal(
            (bad.Score, Decision.Anomalous, "image/png"),
            (picture.Score, picture.Decision, picture.MediaType)
        );
        Assert.Equal((byte)'P', png.ToArray()[1]);
        Assert.Equal(preview.ProposedThreshold, threshold.Threshold);
    }

    [Fact]
    public async Task Files_of_one_upload_keep_their_names_masks_and_pixels()
    {
        var name = shared.NewName();
        await shared.Client.Categories.PutAsync(name, Small);
        var mask = ImageSource.FromBytes(Parts.BadMask(), "any.bmp");
        var pixels = TestSupport.Parts.SyntheticParts.Good(9, Parts.Side).Pixels;
        ImageSource[] images =
        [
            ImageSource.FromBytes(Parts.Bad(1), "Prüfling \"1\".bmp").WithMask(mask),
            ImageSource.FromBytes(Parts.Bad(2), "same.bmp").WithMask(mask),
            ImageSource.FromBytes(Parts.Bad(3), "same.bmp").WithMask(mask),
            ImageSource.FromPixels(new RawFrame(pixels, Parts.Side, Parts.Side, PixelFormat.Rgb24), "raw.bmp"),
        ];
        var options = new UploadOptions { Label = ImageLabel.Anomalous, Defect = "square" };
        var results = await shared.Client.Images.UploadAsync(name, images, options).ToArrayAsync();

        Assert.All(results, result => Assert.Null(result.Error));
        Assert.Equal([true, true, true, false], results.Select(result => result.Image!.HasMask));
        Assert.Equal(
            ["Prüfling \"1\".bmp", "same.bmp", "same.bmp", "raw.bmp"],
            results.Select(result => result.FileName)
        );
        Assert.Equal(4, await shared.Client.Images.ListAsync(name, ImageLabel.Anomalous).CountAsync());
        await using var stored = await shared.Client.Images.GetAsync(name, results[0].Image!.Id);
        using var bytes = new MemoryStream();
        await stored.CopyToAsync(bytes);
        Assert.Equal(Parts.Bad(1), bytes.ToArray());
    }

    [Fact]
    public async Task An_upload_without_a_valid_file_is_results_too()
    {
        var name = shared.NewName();
        await shared.Client.Categories.PutAsync(name, Small);
        var result = await shared.Client.Images.UploadAsync(name, [new byte[] { 1, 2, 3 }]).SingleAsync();
        Assert.NotNull(result.Error);
        var problem = await Assert.ThrowsAsync<PadimException>(() =>
            shared.Client.Images.UploadAsync(name, new byte[] { 1, 2, 3 })
        );
        Assert.Equal(result.Error.Code, problem.Code);
    }

    [Fact]
    public async Task A_cancelled_upload_stops_and_can_be_repeated()
    {
        var name = shared.NewName();
        await shared.Client.Categories.PutAsync(name, Small);
        using var cancelled = new CancellationTokenSource();
        var images = Enumerable.Range(0, 70).Select(seed => ImageSource.FromBytes(Parts.Good(seed), $"{seed}.bmp"));
        var stored = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in shared.Client.Images.UploadAsync(name, images, null, null, cancelled.Token))
                if (++stored == 64)
                    await cancelled.CancelAsync();
        });
        Assert.Equal(64, await shared.Client.Images.ListAsync(name).CountAsync());

        var results = await shared.Client.Images.UploadAsync(name, images).ToArrayAsync();
        Assert.Equal(64, results.Count(result => result.Image!.Duplicate));
        Assert.Equal(70, await shared.Client.Images.ListAsync(name).CountAsync());
    }

    [Fact]
    public async Task A_batch_has_a_result_or_an_error_for_each_file()
    {
        var category = await shared.FittedAsync();
        var items = await shared.Client.ScoreBatchAsync(
            category,
            [ImageSource.FromBytes(Parts.Good(60), "a.bmp"), ImageSource.FromBytes(new byte[9], "b"), Parts.Bad(61)]
        );
        Assert.Equal(["a.bmp", "b", "image"], items.Select(item => item.FileName));
        Assert.Equal(Decision.Normal, items[0].Result!.Decision);
        Assert.NotNull(items[1].Error);
        Assert.Equal(Decision.Anomalous, items[2].Result!.Decision);
    }

    [Fact]
    public async Task A_job_that_fails_has_the_code_of_its_error()
    {
        var name = shared.NewName();
        await shared.Client.Categories.PutAsync(name, Small);
        var problem = await Assert.ThrowsAsync<PadimException>(() => shared.Client.Fits.RunAsync(name));
        Assert.Equal("too_few_images", problem.Code);
    }

    [Fact]
    public async Task A_merge_patch_resets_what_is_null()
    {
        var name = shared.NewName();
        await shared.Client.Categories.PutAsync(name, Small);
        var changed = await shared.Client.Categories.ChangeAsync(name, new CategoryRequest { SignificantBits = 12 });
        Assert.Equal((12, 64), (changed.SignificantBits, changed.ImageSize));
        var patch = new System.Text.Json.Nodes.JsonObject { ["significantBits"] = null };
        Assert.Null((await shared.Client.Categories.ChangeAsync(name, patch)).SignificantBits);
        await shared.Client.Categories.DeleteAsync(name);
        await Assert.ThrowsAsync<PadimException>(() => shared.Client.Categories.GetAsync(name));
    }

    [Fact]
    public async Task A_key_does_what_its_scope_allows()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        using var open = new PadimClient(service.Http.BaseAddress!);
        var admin = await open.Keys.CreateAsync(new KeyRequest { Name = "admin", Scope = AccessScope.Admin });
        using var keyed = new PadimClient(service.Http.BaseAddress!, admin.Key);
        var line = await keyed.Keys.CreateAsync(new KeyRequest { Name = "line", Scope = AccessScope.Score });
        using var scorer = new PadimClient(service.Http.BaseAddress!, line.Key);

        var nothing = await Assert.ThrowsAsync<PadimException>(() => open.Server.GetAsync());
        var little = await Assert.ThrowsAsync<PadimException>(() => scorer.Categories.PutAsync("flange"));

        Assert.Equal(401, nothing.Status);
        Assert.Equal(403, little.Status);
        Assert.False(little.IsTransient);
        Assert.Equal("flange", (await keyed.Categories.PutAsync("flange")).Name);
        Assert.Contains("category.put", await keyed.Keys.ListAuditAsync().Select(entry => entry.Action).ToArrayAsync());
    }

    /// <summary>Takes reports in their order, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Reports<T> : IProgress<T>
    {
        private readonly ConcurrentQueue<T> _all = new();

        public T[] All => [.. _all];

        public void Report(T value) => _all.Enqueue(value);
    }
}
