using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Fits with one Gaussian for all positions.</summary>
public sealed class SharedPositionsTests
{
    private static readonly FitSettings Settings = Fits.Settings with { Positions = PatchPositions.Shared };

    [Theory]
    [InlineData(2, ShrinkageMethod.None, false)]
    [InlineData(4, ShrinkageMethod.Oas, true)]
    public void A_calibration_score_is_that_of_a_fit_without_the_image(
        int count,
        ShrinkageMethod shrinkage,
        bool masked
    )
    {
        using var fits = new Fits();
        var settings = Settings with { Shrinkage = shrinkage };
        var ignored = masked ? Ignored(20) : null;
        var files = Enumerable
            .Range(0, count + 1)
            .Select(seed => SyntheticParts.Good(seed, 72).ToBmp())
            .ToDictionary(file => fits.Image(file).Sha256);
        var model = fits.Run([.. files.Values.Select(fits.Image)], settings: settings, ignored: ignored);
        foreach (var (image, score) in model.TrainingImages.Zip(model.Calibration.Scores))
        {
            var others = fits.Run(
                [.. files.Where(file => file.Key != image).Select(file => fits.Image(file.Value))],
                settings: settings,
                ignored: ignored
            );
            Assert.Equal(
                1,
                score / new ModelScorer(others, Fits.Tiny).Score(TestDecoder.Image(files[image])).Max(),
                1e-3
            );
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Added_and_removed_images_equal_a_fit_from_nothing_and_only_new_ones_are_read(bool masked)
    {
        using var fits = new Fits();
        var ignored = masked ? Ignored(20) : null;
        var prior = fits.Run(fits.Parts(0, 6), settings: Settings, ignored: ignored);
        fits.Reads = 0;
        var updated = fits.Run(fits.Parts(2, 7), fits.PriorOf(prior), Settings, ignored: ignored);
        Assert.Equal(3, fits.Reads);
        using var other = new Fits();
        var scratch = other.Run(fits.Parts(2, 7), settings: Settings, ignored: ignored);
        for (var i = 0; i < scratch.Calibration.Scores.Count; i++)
            Assert.Equal(1, updated.Calibration.Scores[i] / scratch.Calibration.Scores[i], 1e-6);
        Assert.Equal(1, Score(updated) / Score(scratch), 1e-4);
    }

    [Fact]
    public void Another_mask_makes_it_a_fit_from_nothing()
    {
        using var fits = new Fits();
        var prior = fits.Run(fits.Parts(0, 4), settings: Settings, ignored: Ignored(20));
        var masked = fits.Run(fits.Parts(0, 5), fits.PriorOf(prior), Settings, ignored: Ignored(30));
        using var other = new Fits();
        Assert.Equal(
            Fits.Bytes(other.Run(fits.Parts(0, 5), settings: Settings, ignored: Ignored(30))),
            Fits.Bytes(masked)
        );
        // Sums of positions of their own are none either.
        var own = fits.Run(fits.Parts(0, 4));
        Assert.Equal(
            Fits.Bytes(other.Run(fits.Parts(0, 5), settings: Settings)),
            Fits.Bytes(fits.Run(fits.Parts(0, 5), fits.PriorOf(own), Settings))
        );
    }

    [Fact]
    public void A_model_holds_one_factor_whatever_its_image_size_and_passes_its_self_test()
    {
        using var fits = new Fits();
        var model = Fits.Reread(fits.Run(fits.Parts(0, 4), settings: Settings));
        var own = fits.Run(fits.Parts(0, 4));
        var distribution = Assert.IsType<SharedDistribution>(model.Distribution);
        Assert.Equal((PatchPositions.Shared, own.Distribution.Grid), (model.Settings.Positions, distribution.Grid));
        Assert.InRange(distribution.Bytes, 1, 1000);
        Assert.False(model.IsRankDeficient);
        Assert.Equal(ShrinkageMethod.None, model.Shrinkage);
        Assert.Equal(model.Distribution.Bytes, Fits.Tiny.EstimateFit(Settings, 4).ModelBytes);
        Assert.Null(SelfTest.Validate(new ModelScorer(model, Fits.Tiny), OnThreadPool.Context));
    }

    [Fact]
    public void Two_images_of_a_texture_suffice_to_find_a_mark_anywhere()
    {
        using var fits = new Fits();
        var model = fits.Run([fits.Image(Texture(0)), fits.Image(Texture(1))], settings: Settings);
        var scorer = new ModelScorer(model, Fits.Tiny);
        var good = Enumerable.Range(100, 10).Max(seed => scorer.Score(TestDecoder.Image(Texture(seed))).Max());
        foreach (var (x, y) in new[] { (8, 8), (30, 40), (50, 12) })
            Assert.True(scorer.Score(TestDecoder.Image(Texture(200, x, y))).Max() > 1.2 * good);
    }

    [Fact]
    public void All_channels_of_a_network_fit_where_positions_of_their_own_would_take_gigabytes()
    {
        var settings = Settings with { ImageSize = 128, Reduction = ReductionMethod.None };
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 3), settings: settings);
        Assert.Equal((448, 1024), (model.Distribution.Dimensions, model.Distribution.Grid.Positions));
        // 3072 patches are fewer than ten for each dimension.
        Assert.Equal(ShrinkageMethod.Oas, model.Shrinkage);
        Assert.InRange(Fits.Tiny.EstimateFit(settings, 3).StatisticsBytes, 1, 1 << 20);
        Assert.InRange(
            Fits.Tiny.EstimateFit(settings with { Positions = PatchPositions.Own }, 3).StatisticsBytes,
            700L << 20,
            1L << 30
        );
    }

    private static float Score(PadimModel model) =>
        new ModelScorer(model, Fits.Tiny)
            .Score(TestDecoder.Image(SyntheticParts.Defective(200, DefectKind.Scratch, 72).Image.ToBmp()))
            .Max();

    /// <summary>Noise, and a dark mark of 12 x 12 pixels if it has a place.</summary>
    private static byte[] Texture(int seed, int? x = null, int y = 0)
    {
        const int Side = 64;
        const int Mark = 12;
        var random = new Random(seed);
        var pixels = new byte[3 * Side * Side];
        for (var i = 0; i < Side * Side; i++)
        {
            var grey = (byte)random.Next(90, 160);
            var marked =
                x is { } left && i % Side >= left && i % Side < left + Mark && i / Side >= y && i / Side < y + Mark;
            pixels.AsSpan(3 * i, 3).Fill(marked ? (byte)10 : grey);
        }
        return new RgbImage(Side, Side, pixels).ToBmp();
    }

    private static bool[] Ignored(int columns) =>
        [.. Enumerable.Range(0, Settings.ImageSize * Settings.ImageSize).Select(i => i % Settings.ImageSize < columns)];
}
