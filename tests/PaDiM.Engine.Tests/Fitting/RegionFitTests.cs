using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Models that inspect a box of each image.</summary>
public sealed class RegionFitTests
{
    private const int Side = 96;
    private static readonly PixelBox Box = new(24, 12, 64, 48);
    private static readonly ImageRegion Region = new(0.25, 0.125, 64.0 / Side, 0.5);

    /// <summary>The settings that say how the box becomes what the backbone takes.</summary>
    public static TheoryData<AspectMode, int?, ReductionMethod> Kinds =>
        new()
        {
            { AspectMode.Stretch, null, ReductionMethod.SemiOrthogonal },
            { AspectMode.Stretch, 64, ReductionMethod.SemiOrthogonal },
            { AspectMode.Letterbox, null, ReductionMethod.Random },
            { AspectMode.Letterbox, 64, ReductionMethod.SemiOrthogonal },
            { AspectMode.Crop, null, ReductionMethod.Random },
        };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_region_scores_as_the_box_that_was_cut_by_hand(AspectMode aspect, int? tile, ReductionMethod reduction)
    {
        var settings = Fits.Settings with
        {
            ImageSize = 96,
            Aspect = aspect,
            Reduction = reduction,
            Tiles = tile is { } size ? new TileSettings(size, 32) : null,
        };
        var region = Fit(settings with { Region = Region }, image => image);
        var cut = Fit(settings, Cut);
        // Images are fitted in the order of their hashes, which are others, so sums differ in their last bits.
        AssertAlike(cut.Model.Calibration.Scores.Order(), region.Model.Calibration.Scores.Order());

        var part = SyntheticParts.Defective(90, DefectKind.Scratch, Side).Image;
        AssertAlike(Score(cut, Cut(part)), Score(region, part));
        Assert.Null(SelfTest.Validate(region, OnThreadPool.Context));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_stored_model_has_its_box(AspectMode aspect, int? tile, ReductionMethod reduction)
    {
        var settings = Fits.Settings with
        {
            ImageSize = 96,
            Aspect = aspect,
            Reduction = reduction,
            Region = Region,
            Tiles = tile is { } size ? new TileSettings(size, 32) : null,
        };
        var scorer = Fit(settings, image => image);
        using var reread = new ModelScorer(Fits.Reread(scorer.Model), Fits.Tiny);
        Assert.Equal(Region, reread.Model.Settings.Region);
        Assert.Equal(Score(scorer, SyntheticParts.Good(91, Side)), Score(reread, SyntheticParts.Good(91, Side)));
    }

    private static IEnumerable<double> Score(ModelScorer scorer, RgbImage image)
    {
        var decoded = (DecodeResult.Decoded)
            new ImageDecoder().Decode(image.ToBmp(), DecodeOptions.For(scorer.Model.Settings));
        return scorer.Score([decoded], OnThreadPool.Context)[0].Map.Values.Select(value => (double)value);
    }

    private static void AssertAlike(IEnumerable<double> expected, IEnumerable<double> actual)
    {
        foreach (var (one, other) in expected.Zip(actual))
            Assert.Equal(one, other, 1e-4 * one + 1e-6);
    }

    private static ModelScorer Fit(FitSettings settings, Func<RgbImage, RgbImage> change)
    {
        using var fits = new Fits();
        var images = Enumerable
            .Range(0, 5)
            .Select(seed => fits.Image(change(SyntheticParts.Good(seed, Side)).ToBmp()))
            .ToArray();
        return new ModelScorer(fits.Run(images, settings: settings), Fits.Tiny);
    }

    private static RgbImage Cut(RgbImage image)
    {
        var pixels = new byte[3 * Box.Width * Box.Height];
        for (var y = 0; y < Box.Height; y++)
            image
                .Pixels.AsSpan(3 * ((Box.Y + y) * image.Width + Box.X), 3 * Box.Width)
                .CopyTo(pixels.AsSpan(3 * y * Box.Width));
        return new RgbImage(Box.Width, Box.Height, pixels);
    }
}
