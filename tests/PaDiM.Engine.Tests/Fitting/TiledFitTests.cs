using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;
using PaDiM.TestSupport.Parts;
using RgbImage = PaDiM.Imaging.RgbImage;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Models of images that pass through the backbone in tiles.</summary>
public sealed class TiledFitTests
{
    private static readonly FitSettings Settings = Fits.Settings with
    {
        ImageSize = 128,
        Dimensions = 12,
        Tiles = new TileSettings(64, 32),
    };

    [Fact]
    public void One_tile_is_the_whole_image_to_the_last_bit()
    {
        using var fits = new Fits();
        using var others = new Fits();
        var tiled = fits.Run(fits.Parts(0, 6), settings: Fits.Settings with { Tiles = new TileSettings(64, 0) });
        var whole = others.Run(others.Parts(0, 6));
        Assert.Equal(whole.Calibration.Scores, tiled.Calibration.Scores);
        Assert.Equal(
            new ModelScorer(whole, Fits.Tiny).Score(Image(9), OnThreadPool.Context).Values,
            new ModelScorer(tiled, Fits.Tiny).Score(Image(9), OnThreadPool.Context).Values
        );
    }

    [Fact]
    public void Each_position_has_the_features_of_its_tile()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 3), settings: Settings);
        var scorer = new ModelScorer(model, Fits.Tiny);
        var image = Image(5);
        var whole = new float[3 * 128 * 128];
        scorer.Preprocessing.Prepare(image, whole);
        var expected = new float[32 * 32];
        var tiles = Settings.CreateTiles()!.Divide(4);
        for (var i = 0; i < tiles.Count; i++)
        {
            var tile = tiles[i];
            var prepared = new float[3 * 64 * 64];
            for (var channel = 0; channel < 3; channel++)
            for (var y = 0; y < 64; y++)
                whole
                    .AsSpan(channel * 128 * 128 + (4 * tile.Y + y) * 128 + 4 * tile.X, 64)
                    .CopyTo(prepared.AsSpan(channel * 64 * 64 + y * 64));
            var embedding = scorer.Embedder.Embed(prepared, 1, OnThreadPool.Context)[0];
            for (var y = tile.Top; y < tile.Bottom; y++)
            for (var x = tile.Left; x < tile.Right; x++)
                expected[y * 32 + x] = Distance(
                    model.Distribution,
                    y * 32 + x,
                    embedding[(y - tile.Y) * 16 + x - tile.X]
                );
        }
        using var tiled = Open(scorer, image);
        while (tiled.PrepareNext(4))
        {
            using var features = scorer.Embedder.Extract(tiled.Prepared, tiled.Count, OnThreadPool.Context);
            tiled.Add(features, 0, OnThreadPool.Context);
        }
        var distances = Assert.IsType<RawMap.Patches>(tiled.Map).Distances;
        for (var p = 0; p < expected.Length; p++)
            Assert.Equal(expected[p], distances.Values[p], 1e-3 * (1 + expected[p]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void The_score_does_not_depend_on_the_batches(int batch)
    {
        using var fits = new Fits();
        var scorer = new ModelScorer(fits.Run(fits.Parts(0, 3), settings: Settings), Fits.Tiny);
        var image = Image(5);
        using var tiled = Open(scorer, image);
        var passes = 0;
        while (tiled.PrepareNext(batch))
        {
            using var features = scorer.Embedder.Extract(tiled.Prepared, tiled.Count, OnThreadPool.Context);
            tiled.Add(features, 0, OnThreadPool.Context);
            passes++;
        }
        Assert.Equal((9 + batch - 1) / batch, passes);
        var expected = scorer.Score(image, OnThreadPool.Context);
        var frame = scorer.Preprocessing.CreateFrame(new Grid(image.Height, image.Width));
        Assert.Equal(1, scorer.ToPixels(tiled.Map, frame, tiled.Placement).Max() / expected.Max(), 1e-5);
    }

    [Fact]
    public void A_calibration_score_is_that_of_a_fit_without_the_image()
    {
        using var fits = new Fits();
        var images = fits.Parts(0, 5);
        var model = fits.Run(images, settings: Settings);
        foreach (var (sha256, score) in model.TrainingImages.Zip(model.Calibration.Scores))
        {
            var others = fits.Run([.. images.Where(image => image.Sha256 != sha256)], settings: Settings);
            var left = images.Single(image => image.Sha256 == sha256);
            var map = new ModelScorer(others, Fits.Tiny).Score(TestDecoder.Image(left.Read()), OnThreadPool.Context);
            Assert.Equal(1, score / map.Max(), 2e-3);
        }
    }

    [Fact]
    public void A_stored_model_scores_the_same_and_tests_itself()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 4), settings: Settings);
        var stored = Fits.Reread(model);
        Assert.Equal(Settings.Tiles, stored.Settings.Tiles);
        Assert.Single(stored.GoldenImages);
        using var scorer = new ModelScorer(stored, Fits.Tiny);
        Assert.Null(SelfTest.Validate(scorer, OnThreadPool.Context));
        Assert.Equal(
            new ModelScorer(model, Fits.Tiny).Score(Image(9), OnThreadPool.Context).Values,
            scorer.Score(Image(9), OnThreadPool.Context).Values
        );
    }

    [Fact]
    public void Added_and_removed_images_equal_a_fit_from_nothing()
    {
        using var fits = new Fits();
        var prior = fits.Run(fits.Parts(0, 5), settings: Settings);
        fits.Reads = 0;
        var updated = fits.Run(fits.Parts(1, 5), fits.PriorOf(prior), Settings);
        Assert.Equal(1, fits.Reads);
        using var other = new Fits();
        var scratch = other.Run(other.Parts(1, 5), settings: Settings);
        foreach (var (expected, actual) in scratch.Calibration.Scores.Zip(updated.Calibration.Scores))
            Assert.Equal(1, actual / expected, 1e-4);
    }

    [Fact]
    public void A_golden_image_of_a_large_model_is_small()
    {
        var large = Settings with { ImageWidth = 4096, ImageHeight = 3072, Tiles = new TileSettings(512, 0) };
        Assert.Equal(new Grid(768, 1024), large.GetGoldenSize());
        Assert.Equal(new Grid(128, 128), Settings.GetGoldenSize());
        Assert.Equal(new Grid(2048, 2048), new FitSettings { ImageSize = 2048 }.GetGoldenSize());
    }

    [Theory]
    [InlineData(100, 64, 32, "imageSize must be a multiple of 16 pixels: 96 is the nearest to 100")]
    [InlineData(128, 40, 16, "tiles.size must be a multiple of 16 pixels: 48 is the nearest to 40")]
    [InlineData(128, 64, 20, "tiles.overlap must be a multiple of 16 pixels: 16 is the nearest to 20")]
    [InlineData(128, 48, 24, "tiles.overlap must be a multiple of 16 pixels: 16 is the nearest to 24")]
    public void Sides_that_do_not_fit_the_taps_are_refused_with_the_nearest_that_do(
        int imageSize,
        int size,
        int overlap,
        string expected
    )
    {
        var settings = Settings with { ImageSize = imageSize, Tiles = new TileSettings(size, overlap) };
        Assert.Null(settings.Validate());
        Assert.Contains(expected, Fits.Tiny.Validate(settings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_side_that_does_not_fit_is_called_by_its_name()
    {
        var settings = Settings with { ImageWidth = 128, ImageHeight = 100, Tiles = new TileSettings(64, 0) };
        Assert.Contains("imageHeight must be a multiple", Fits.Tiny.Validate(settings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(32, 16)]
    [InlineData(48, 16)]
    [InlineData(80, 32)]
    [InlineData(112, 48)]
    [InlineData(128, 64)]
    [InlineData(512, 64)]
    public void The_overlap_that_none_has_named_fits_the_taps(int size, int expected)
    {
        Assert.Equal(expected, TileSettings.GetDefaultOverlap(size));
        var side = 2 * size;
        Assert.Null(Fits.Tiny.Validate(Settings with { ImageSize = side, Tiles = new TileSettings(size, expected) }));
    }

    [Fact]
    public void With_an_overlap_the_features_are_nearly_those_of_the_whole_image()
    {
        var settings = new FitSettings { ImageSize = 256, Dimensions = 8 };
        var image = TestDecoder.Image(ScratchedPlates.Good(7, 512, 512).ToBmp());
        var reduction = ChannelReduction.Draw(settings.Reduction, Fits.Tiny.TapChannels, settings.Dimensions, 1);
        var whole = new Embedder(Fits.Tiny, settings, reduction);
        var prepared = new float[whole.PreparedLength];
        whole.Preprocessing.Prepare(image, prepared);
        var expected = whole.Embed(prepared, 1, OnThreadPool.Context)[0];
        var seams = GetLargestDeviation(new TileSettings(128, 0));
        Assert.InRange(seams, 2, double.MaxValue);
        Assert.InRange(GetLargestDeviation(new TileSettings(128, 64)), 0, seams / 4);

        // In standard deviations over the image.
        double GetLargestDeviation(TileSettings tiles)
        {
            var tiled = new Embedder(Fits.Tiny, settings with { Tiles = tiles }, reduction);
            var actual = new PatchEmbedding(expected.Grid, settings.Dimensions);
            using var reader = Read(tiled, image);
            tiled.EmbedTiles(reader, 4, actual, OnThreadPool.Context, CancellationToken.None);
            var mean = expected.Values.Average();
            var deviation = Math.Sqrt(expected.Values.Average(value => (value - mean) * (value - mean)));
            return expected.Values.Zip(actual.Values).Max(pair => Math.Abs(pair.First - pair.Second)) / deviation;
        }
    }

    /// <summary>One Gaussian does not learn what tiles do to the positions at their edges; the overlap cuts it off.</summary>
    [Fact]
    public void A_texture_with_one_Gaussian_shows_no_seams()
    {
        var seams = GetSeamRatio(new TileSettings(128, 0));
        var overlapping = GetSeamRatio(new TileSettings(128, 64));
        Assert.True(
            overlapping is > 0.9 and < 1.1 && seams > 1.2,
            $"{seams:f3} without an overlap, {overlapping:f3} with"
        );

        // The mean distance at the columns where tiles meet, over that of all columns, on plates that are not in the fit.
        static double GetSeamRatio(TileSettings tiles)
        {
            using var fits = new Fits();
            var settings = new FitSettings
            {
                ImageSize = 256,
                Dimensions = 8,
                Tiles = tiles,
                Positions = PatchPositions.Shared,
            };
            var images = Enumerable
                .Range(0, 4)
                .Select(seed => fits.Image(ScratchedPlates.Good(seed, 512, 512).ToBmp()));
            var scorer = new ModelScorer(fits.Run([.. images], settings: settings), Fits.Tiny);
            var grid = settings.CreateTiles()!.Divide(4);
            var meet = Enumerable
                .Range(0, grid.Shape.Width - 1)
                .SelectMany(i => new[] { grid[i].Right - 1, grid[i].Right });
            var columns = new double[64];
            foreach (var seed in Enumerable.Range(20, 4))
            {
                using var tiled = Open(scorer, TestDecoder.Image(ScratchedPlates.Good(seed, 512, 512).ToBmp()));
                while (tiled.PrepareNext(4))
                {
                    using var features = scorer.Embedder.Extract(tiled.Prepared, tiled.Count, OnThreadPool.Context);
                    tiled.Add(features, 0, OnThreadPool.Context);
                }
                var distances = Assert.IsType<RawMap.Patches>(tiled.Map).Distances.Values;
                for (var p = 0; p < distances.Length; p++)
                    columns[p % 64] += distances[p];
            }
            return meet.Average(x => columns[x]) / columns.Average();
        }
    }

    private static TiledImage Open(ModelScorer scorer, RgbImage image) =>
        scorer.OpenTiles(new DecodeResult.Decoded(image, null), measures: false, out _);

    private static TileReader Read(Embedder embedder, RgbImage image) =>
        embedder.Preprocessing.ReadTiles(image, CreateFrame(embedder, image), embedder.Tiles!, measures: false);

    private static ImageFrame CreateFrame(Embedder embedder, RgbImage image) =>
        embedder.Preprocessing.CreateFrame(new Grid(image.Height, image.Width));

    private static float Distance(PatchDistribution distribution, int position, ReadOnlySpan<float> x)
    {
        var d = distribution.Dimensions;
        var square = new float[d * d];
        distribution.UnpackWhitening(position, square);
        var sum = 0.0;
        for (var i = 0; i < d; i++)
        {
            var value = 0.0;
            for (var j = 0; j < d; j++)
                value += square[i * d + j] * (x[j] - distribution.Mean.Span[position * d + j]);
            sum += value * value;
        }
        return (float)Math.Sqrt(sum);
    }

    private static RgbImage Image(int seed) => TestDecoder.Image(SyntheticParts.Good(seed, 150).ToBmp());
}
