using FsCheck.Xunit;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Evaluation;

public sealed class IgnoredPixelsTests
{
    private static readonly Grid Size = new(6, 7);

    [Property(MaxTest = 50)]
    public void They_are_measured_as_if_they_were_not_there(int seed)
    {
        var random = new Random(seed);
        var images = Enumerable
            .Range(0, 3)
            .Select(_ =>
                (
                    Scores: Many(p => MathF.Round(random.NextSingle() * 20) / 4),
                    Mask: Many(p => p < 2 || random.NextDouble() < 0.35),
                    Ignored: Many(p => p > 2 && random.NextDouble() < 0.3)
                )
            )
            .ToArray();
        var metrics = PixelMetrics.Compute([
            .. images.Select(image => new ScoredPixels(new AnomalyMap(Size, image.Scores), image.Mask, image.Ignored)),
        ]);

        // The reference has no labels: NaN pixels are dropped before it measures.
        var holes = images
            .Select(image => (Scores: Many(p => image.Ignored[p] ? float.NaN : image.Scores[p]), image.Mask))
            .ToArray();
        Assert.Equal(ReferencePro.AuPro(holes, Size.Width, 0.3), metrics.AuPro30, 1e-9);
        Assert.Equal(ReferencePro.AuPro(holes, Size.Width, 0.05), metrics.AuPro05, 1e-9);
        var kept = images
            .SelectMany(image =>
                Many(p => (Score: image.Scores[p], Anomalous: image.Mask[p], Ignored: image.Ignored[p]))
            )
            .Where(pixel => !pixel.Ignored)
            .ToArray();
        Assert.Equal(
            Auroc.Compute([.. kept.Select(pixel => pixel.Score)], [.. kept.Select(pixel => pixel.Anomalous)]),
            metrics.Auroc,
            1e-12
        );
    }

    [Fact]
    public void A_strip_of_them_parts_a_defect_and_a_defect_of_them_alone_is_none()
    {
        var grid = new Grid(1, 7);
        var map = new AnomalyMap(grid, [1, 2, 3, 4, 5, 6, 7]);
        bool[] mask = [true, true, true, true, true, false, true];
        Assert.Equal(2, new ScoredPixels(map, mask).Regions);
        Assert.Equal(3, new ScoredPixels(map, mask, [false, false, true, false, false, false, false]).Regions);
        Assert.Equal(1, new ScoredPixels(map, mask, [false, false, false, false, false, false, true]).Regions);
    }

    [Fact]
    public void A_normal_image_may_have_them_too()
    {
        var grid = new Grid(1, 3);
        var defective = new ScoredPixels(new AnomalyMap(grid, [1, 5, 1]), [false, true, false]);
        var normal = new AnomalyMap(grid, [9, 1, 1]);
        Assert.True(PixelMetrics.Compute([defective, new ScoredPixels(normal, null)]).Auroc < 1);
        Assert.Equal(1, PixelMetrics.Compute([defective, new ScoredPixels(normal, null, [true, false, false])]).Auroc);
    }

    [Fact]
    public void Their_shape_is_the_maps() =>
        Assert.Throws<ArgumentException>(
            "ignored",
            () => new ScoredPixels(new AnomalyMap(new Grid(1, 2), [1, 2]), null, [true])
        );

    private static T[] Many<T>(Func<int, T> of) => [.. Enumerable.Range(0, Size.Positions).Select(of)];
}
