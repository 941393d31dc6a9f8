using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;
using RgbImage = PaDiM.Imaging.RgbImage;

namespace PaDiM.Engine.Tests.Scoring;

/// <summary>
/// What tiles are for: small defects on large images. A picture of 1024 x 768 pixels with 8 x 8 tiles of 64 pixels has
/// the ratios of one of 4096 x 3072 with tiles of 256; the trials and the benchmarks take that one.
/// </summary>
public sealed class TiledDefectTests
{
    private const int Width = 1024,
        Height = 768,
        Scratch = 6;

    private static readonly FitSettings Plain = new() { ImageSize = 64, Dimensions = 16 };
    private static readonly FitSettings Tiled = Plain with { ImageSize = 512, Tiles = new TileSettings(80, 16) };

    [Fact]
    public void Tiles_find_scratches_that_the_plain_model_misses()
    {
        using var fits = new Fits();
        var images = Enumerable
            .Range(0, 12)
            .Select(seed => fits.Image(ScratchedPlates.Good(seed, Width, Height).ToBmp()))
            .ToArray();
        var plain = fits.Run(images, settings: Plain);
        var tiled = fits.Run(images, settings: Tiled);
        // The last one lies where four tiles meet.
        foreach (var (x, y) in new[] { (301, 202), (640, 500), (900, 95), (95, 700), (510, 382) })
        {
            var image = TestDecoder.Image(ScratchedPlates.Scratched(100 + x, Width, Height, Scratch, x, y).ToBmp());
            Assert.InRange(GetRatio(plain, image, out _), 0, 0.95);
            Assert.InRange(GetRatio(tiled, image, out var regions), 1.2, double.MaxValue);
            Assert.Contains(
                regions,
                region => region.X <= x && x < region.X + region.Width && region.Y <= y && y < region.Y + region.Height
            );
        }
    }

    private static double GetRatio(PadimModel model, RgbImage image, out IReadOnlyList<AnomalyRegion> regions)
    {
        using var scorer = new ModelScorer(model, Fits.Tiny);
        var map = scorer.Score(image);
        var frame = scorer.Preprocessing.CreateFrame(new Grid(Height, Width));
        var score = scorer.GetScore(map, frame);
        var threshold = model.Calibration.GetThreshold(0.01);
        var level = ModelScorer.GetDefectLevel(score, threshold);
        regions = scorer
            .FindDefects(map, level, scorer.Preprocessing.CreateMapper(new Grid(Height, Width), default), false)
            .Regions;
        return score / threshold;
    }
}
