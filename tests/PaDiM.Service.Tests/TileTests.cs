using System.Net.Http.Json;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Admission;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using RgbImage = PaDiM.Imaging.RgbImage;
using SyntheticParts = PaDiM.TestSupport.Parts.SyntheticParts;

namespace PaDiM.Service.Tests;

/// <summary>Categories whose images pass through the backbone in tiles.</summary>
public sealed class TileTests(SharedService shared)
{
    private const int Tiles = 9;

    private static readonly object Settings = new
    {
        imageSize = 128,
        tiles = new { size = 64, overlap = 32 },
        reduction = new { dimensions = 12 },
        blurSigma = 2,
    };

    [Fact]
    public async Task A_category_with_tiles_is_fitted_and_scores()
    {
        var category = await CreateAsync();
        var described = await shared.Http.GetJsonAsync(category.Url);
        Assert.Equal((64, 32), (described["tiles"]!.Number("size"), described["tiles"]!.Number("overlap")));

        var good = await category.ScoreAsync(Parts.Good(90));
        Assert.Equal("normal", good.Text("decision"));
        var bad = await category.ScoreAsync(Parts.Bad(91));
        Assert.Equal("anomalous", bad.Text("decision"));
        var region = Assert.Single(bad.Items("regions"));
        Assert.InRange(region.Number("x"), 30, 46);
        Assert.InRange(region.Number("y"), 0, 18);
        Assert.NotNull((await category.ScoreAsync(Parts.Bad(91), "?heatmap=overlay"))["heatmap"]);
        Assert.Equal(bad.Number("score"), (await category.ScoreAsync(Parts.Bad(91))).Number("score"));
    }

    [Fact]
    public async Task Many_images_at_once_get_the_scores_that_they_get_alone()
    {
        var category = await CreateAsync();
        var alone = new List<double>();
        for (var seed = 0; seed < 12; seed++)
            alone.Add((await category.ScoreAsync(Parts.Bad(seed))).Number("score"));
        var together = await Task.WhenAll(Enumerable.Range(0, 12).Select(seed => category.ScoreAsync(Parts.Bad(seed))));
        Assert.All(
            alone.Zip(together),
            pair => Assert.Equal(pair.First, pair.Second.Number("score"), 1e-4 * pair.First)
        );
    }

    [Fact]
    public async Task An_image_that_the_category_refuses_is_refused_after_its_tiles()
    {
        var category = await CreateAsync();
        await (await shared.Http.PatchAsJsonAsync(category.Url, new { refuseOn = new[] { "too_dark" } })).JsonAsync(
            200
        );
        var part = SyntheticParts.Good(5, Parts.Side);
        Array.Clear(part.Pixels);
        await (await category.SendScoreAsync(part.ToBmp())).ProblemAsync(422, "input_refused");
    }

    [Theory]
    [InlineData("""{"tiles":{"size":64,"overlap":40}}""", "overlap must lie between 0 and half of tiles.size (32")]
    [InlineData("""{"tiles":{"size":300}}""", "tiles.size must not be larger than the prepared image")]
    [InlineData("""{"tiles":{"size":40,"overlap":16}}""", "multiple of 16 pixels: 48 is the nearest to 40")]
    [InlineData("""{"tiles":{"size":64},"cropSize":128}""", "without a crop")]
    [InlineData("""{"imageSize":4096}""", "with tiles, up to 8192")]
    [InlineData("""{"imageSize":8192,"tiles":{"size":64,"overlap":32}}""", "at most 4096 are allowed")]
    [InlineData("""{"imageSize":8192,"tiles":{"size":512}}""", "of memory")]
    public async Task Tiles_that_cannot_be_used_are_refused_with_a_reason(string settings, string reason)
    {
        var answer = await shared.Http.PutAsync(
            $"/v1/categories/{shared.NewName()}",
            new StringContent(settings, System.Text.Encoding.UTF8, "application/json")
        );
        Assert.Contains(
            reason,
            (await answer.ProblemAsync(422, "invalid_settings")).Text("detail"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_next_image_waits_for_one_tile_of_a_large_one()
    {
        var scorer = await GetScorerAsync();
        var admission = new ImageAdmission(
            new AdmissionLimits(Slots: 64, Cores: 1, DecodeBytes: 1 << 20),
            TimeProvider.System
        );
        await OccupyAsync(admission, scorer.Runtime.Threads - 1);
        using var lease = await admission.AcquireToScoreAsync(100, Priority.Line, CancellationToken.None);
        var next = admission.RequestCore(99, Priority.Line);
        using var image = Open(scorer);
        var score = Create(admission).ScoreAsync(scorer, image, lease, CancellationToken.None);
        for (var tile = 1; tile < Tiles; tile++)
        {
            // The image gave its core to the next one after a tile, and goes on when that one is done.
            Assert.True(next.Granted.IsCompleted);
            Assert.False(score.IsCompleted);
            var following = admission.RequestCore(99, Priority.Line);
            next.Dispose();
            await following.Granted;
            next = following;
        }
        next.Dispose();
        Assert.True((await score).Succeeded(out var batched, out _));
        Assert.True(PreparedImages.GetMax(batched) > 0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_image_that_is_given_up_stops_between_two_batches_of_tiles(bool isSideBySide)
    {
        var scorer = await GetScorerAsync();
        var admission = new ImageAdmission(
            new AdmissionLimits(Slots: 64, Cores: 64, DecodeBytes: 1 << 20),
            TimeProvider.System
        );
        await OccupyAsync(admission, isSideBySide ? scorer.Runtime.Threads - 1 : 0);
        using var lease = await admission.AcquireToScoreAsync(100, Priority.Line, CancellationToken.None);
        using var image = Open(scorer);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Create(admission).ScoreAsync(scorer, image, lease, new CancellationToken(canceled: true))
        );
        Assert.True(image.HasMore);
    }

    /// <summary>Takes slots for images that hold no core: from as many as threads on, images go side by side.</summary>
    private static async Task OccupyAsync(ImageAdmission admission, int slots)
    {
        for (var i = 0; i < slots; i++)
            (await admission.AcquireToScoreAsync(0, Priority.Line, CancellationToken.None)).ReleaseCoreAndMemory();
    }

    private static TiledImage Open(ModelScorer scorer)
    {
        var part = SyntheticParts.Good(7, Parts.Side);
        return scorer.OpenTiles(
            new DecodeResult.Decoded(new RgbImage(part.Width, part.Height, part.Pixels), null),
            measures: false,
            out _
        );
    }

    private TileScorer Create(ImageAdmission admission)
    {
        var options = Options.Create(new ScoringOptions());
        var metrics = shared.Service.Get<ScoreMetrics>();
        return new TileScorer(
            new ScoreBatcher(options, metrics, TimeProvider.System, shared.Service.Get<DeviceWatch>()),
            new SideBySideScorer(admission, options, metrics, TimeProvider.System, shared.Service.Get<DeviceWatch>()),
            admission,
            options,
            metrics,
            TimeProvider.System,
            shared.Service.Get<DeviceWatch>()
        );
    }

    private async Task<CategoryClient> CreateAsync()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateFittedAsync(8, Settings);
        return category;
    }

    private async Task<ModelScorer> GetScorerAsync()
    {
        var category = await CreateAsync();
        var acquired = await shared
            .Service.Get<ModelRegistry>()
            .AcquireAsync(category.Name, null, CancellationToken.None);
        Assert.True(acquired.Succeeded(out var model, out _));
        return model.Scorer;
    }
}
