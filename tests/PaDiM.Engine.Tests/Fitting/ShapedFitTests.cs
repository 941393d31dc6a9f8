using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Images that are not squares.</summary>
public sealed class ShapedFitTests : IDisposable
{
    private readonly Fits _fits = new();

    [Theory]
    [InlineData(true, LineScan.Short, LineScan.Long)]
    [InlineData(false, LineScan.Long, LineScan.Short)]
    public void A_small_defect_of_a_long_scan_is_a_small_region(bool isUpright, int width, int height)
    {
        const int at = 1207;
        var settings = new FitSettings { ImageWidth = width, ImageHeight = height };
        var scorer = Fit(settings, 10, seed => LineScan.Draw(seed, isUpright));
        var scan = TestDecoder.Image(LineScan.Draw(50, isUpright, at).ToBmp());
        var frame = scorer.Preprocessing.CreateFrame(new Grid(scan.Height, scan.Width));
        var map = scorer.Score(scan);
        var threshold = scorer.Model.Calibration.GetThreshold(0.01);
        Assert.True(scorer.GetScore(map, frame) > threshold);
        var region = Assert.Single(
            scorer.FindDefects(map, threshold, new OriginalMapper(frame), contours: true).Regions
        );
        Assert.InRange(region.Width, LineScan.DefectSide, 40);
        Assert.InRange(region.Height, LineScan.DefectSide, 40);
        var (start, length) = isUpright ? (region.Y, region.Height) : (region.X, region.Width);
        Assert.InRange(at + 2, start, start + length);
        var good = TestDecoder.Image(LineScan.Draw(51, isUpright).ToBmp());
        Assert.True(scorer.ComputeScore(good, OnThreadPool.Context) < threshold);
    }

    [Theory]
    [InlineData(null, ImageScoreMethod.Max)]
    [InlineData(null, ImageScoreMethod.Top)]
    [InlineData(48, ImageScoreMethod.Top)]
    public void A_border_never_counts(int? crop, ImageScoreMethod method)
    {
        var settings = Fits.Settings with { Aspect = AspectMode.Letterbox, CropSize = crop, ImageScore = method };
        var scorer = Fit(settings, 10, seed => Halve(SyntheticParts.Good(seed, 72)));
        var defective = TestDecoder.Image(Halve(SyntheticParts.Defective(90, DefectKind.Scratch, 72).Image).ToBmp());
        var frame = scorer.Preprocessing.CreateFrame(new Grid(36, 72));
        Assert.True(frame.HasBorder);
        var map = scorer.Score(defective);
        for (var i = 0; i < map.Values.Length; i++)
            Assert.Equal(frame.IsContent(i / map.Grid.Width, i % map.Grid.Width), map.Values[i] > 0);
        var values = map.Values.OrderDescending().ToArray();
        var top = method == ImageScoreMethod.Max ? 1 : ImageScore.GetTopPixels(frame.Content.Positions);
        Assert.Equal(values[..top].Average(), scorer.GetScore(map, frame), 1e-3);
        // All that counts is the image, and no more.
        var everything = scorer.FindDefects(map, double.Epsilon, new OriginalMapper(frame), contours: true);
        Assert.Equal(100, everything.AreaPercent);
        var region = Assert.Single(everything.Regions);
        if (crop is null)
            Assert.Equal((0, 0, 72, 36), (region.X, region.Y, region.Width, region.Height));
        Assert.Null(SelfTest.Validate(scorer, OnThreadPool.Context));
        var reread = new ModelScorer(Fits.Reread(scorer.Model), Fits.Tiny);
        Assert.Equal(map.Values, reread.Score(defective).Values);
        Assert.Equal(Fits.Bytes(scorer.Model), Fits.Bytes(reread.Model));
        Assert.Null(SelfTest.Validate(reread, OnThreadPool.Context));
    }

    /// <summary>Parity: what does not apply changes no bit of a model.</summary>
    [Fact]
    public void For_squares_all_aspects_are_one()
    {
        var stretched = _fits.Run(_fits.Parts(0, 6));
        foreach (var aspect in new[] { AspectMode.Letterbox, AspectMode.Crop })
        {
            var model = _fits.Run(_fits.Parts(0, 6), settings: Fits.Settings with { Aspect = aspect });
            Assert.Equal(stretched.Calibration.Scores, model.Calibration.Scores);
            Assert.Equal(stretched.Distribution.Mean.ToArray(), model.Distribution.Mean.ToArray());
        }
        var sides = _fits.Run(_fits.Parts(0, 6), settings: Fits.Settings with { ImageWidth = 64, ImageHeight = 64 });
        Assert.Equal(stretched.Calibration.Scores, sides.Calibration.Scores);
    }

    [Fact]
    public void A_letterbox_takes_images_of_several_shapes()
    {
        var settings = Fits.Settings with { Aspect = AspectMode.Letterbox };
        var scorer = Fit(
            settings,
            12,
            seed => seed % 3 == 0 ? SyntheticParts.Good(seed, 72) : Halve(SyntheticParts.Good(seed, 72))
        );
        Assert.All(scorer.Model.Calibration.Scores, score => Assert.InRange(score, 1e-3, 1e3));
        Assert.Null(SelfTest.Validate(new ModelScorer(Fits.Reread(scorer.Model), Fits.Tiny), OnThreadPool.Context));
    }

    [Theory]
    [InlineData(PatchPositions.Own, true)]
    [InlineData(PatchPositions.Shared, false)]
    [InlineData(PatchPositions.Shared, true)]
    public void A_letterbox_goes_with_tiles_and_shared_positions(PatchPositions positions, bool isTiled)
    {
        var settings = Fits.Settings with
        {
            ImageSize = 96,
            Aspect = AspectMode.Letterbox,
            Positions = positions,
            Tiles = isTiled ? new TileSettings(64, 32) : null,
        };
        var scorer = Fit(settings, 8, seed => Halve(SyntheticParts.Good(seed, 72)));
        var image = TestDecoder.Image(Halve(SyntheticParts.Defective(90, DefectKind.Scratch, 72).Image).ToBmp());
        var frame = scorer.Preprocessing.CreateFrame(new Grid(image.Height, image.Width));
        var map = scorer.Score(image);
        for (var i = 0; i < map.Values.Length; i++)
            Assert.Equal(frame.IsContent(i / map.Grid.Width, i % map.Grid.Width), map.Values[i] > 0);
        var reread = new ModelScorer(Fits.Reread(scorer.Model), Fits.Tiny);
        Assert.Null(SelfTest.Validate(reread, OnThreadPool.Context));
    }

    [Fact]
    public void A_mask_that_leaves_nothing_of_an_image_is_a_fault_of_the_mask()
    {
        // All but a corner of the square, which the letterbox of a wide image does not show.
        var settings = Fits.Settings with
        {
            Aspect = AspectMode.Letterbox,
        };
        bool[] ignored = [.. Enumerable.Range(0, 64 * 64).Select(i => i >= 8 * 64)];
        var wide = Images(4, seed => Halve(SyntheticParts.Good(seed, 72)));
        var fault = Assert.Throws<UserFaultException>(() => _fits.Run(wide, settings: settings, ignored: ignored));
        Assert.Equal(ProblemCodes.IgnoreMaskUnusable, fault.Fault.Code);
        Assert.Contains("64 x 32", fault.Message, StringComparison.Ordinal);
        var model = _fits.Run(_fits.Parts(0, 6), settings: settings, ignored: ignored);
        var scorer = new ModelScorer(model, Fits.Tiny);
        Assert.NotNull(scorer.ValidateSize(new Grid(36, 72)));
        Assert.Null(scorer.ValidateSize(new Grid(72, 72)));
    }

    [Theory]
    [InlineData(AspectMode.Stretch)]
    [InlineData(AspectMode.Letterbox)]
    [InlineData(AspectMode.Crop)]
    public void An_incremental_fit_equals_one_from_scratch(AspectMode aspect)
    {
        var settings = Fits.Settings with { ImageWidth = 48, ImageHeight = 64, Aspect = aspect };
        var images = Images(10, seed => Halve(SyntheticParts.Good(seed, 72)));
        var prior = _fits.PriorOf(_fits.Run(images[..7], settings: settings));
        var grown = _fits.Run(images, prior, settings);
        using var other = new Fits();
        var scratch = other.Run(images, settings: settings);
        Assert.Equal(
            scratch.Calibration.Scores.Order(),
            grown.Calibration.Scores.Order(),
            (a, b) => Math.Abs(a - b) < 1e-3
        );
    }

    public void Dispose() => _fits.Dispose();

    private ModelScorer Fit(FitSettings settings, int count, Func<int, RgbImage> draw) =>
        new(_fits.Run(Images(count, draw), settings: settings), Fits.Tiny);

    private TrainingImage[] Images(int count, Func<int, RgbImage> draw) =>
        [.. Enumerable.Range(0, count).Select(seed => _fits.Image(draw(seed).ToBmp()))];

    /// <summary>The middle half of the rows.</summary>
    private static RgbImage Halve(RgbImage image) =>
        new(
            image.Width,
            image.Height / 2,
            image.Pixels[(3 * image.Width * (image.Height / 4))..(3 * image.Width * (image.Height / 4 * 3))]
        );
}
