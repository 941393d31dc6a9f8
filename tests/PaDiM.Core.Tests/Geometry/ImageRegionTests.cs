using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Tests.Geometry;

public sealed class ImageRegionTests
{
    [Theory]
    [InlineData(-0.1, 0, 0.5, 0.5)]
    [InlineData(0, double.NaN, 0.5, 0.5)]
    [InlineData(0, 0, 0, 0.5)]
    [InlineData(0, 0, 0.5, 0.0009)]
    [InlineData(0, 0, 1.5, 0.5)]
    [InlineData(0.6, 0, 0.5, 0.5)]
    [InlineData(0, 0.6, 0.5, 0.5)]
    [InlineData(0, 0, double.NaN, 0.5)]
    [InlineData(0, 0, 0.5, double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity, 0, 0.5, 0.5)]
    public void A_box_lies_within_the_image(double x, double y, double width, double height) =>
        Assert.NotNull(new ImageRegion(x, y, width, height).Validate());

    [Fact]
    public void A_box_is_whole_pixels_and_never_empty()
    {
        Assert.Null(new ImageRegion(0.1, 0.2, 0.9, 0.8).Validate());
        Assert.Equal(new PixelBox(10, 40, 90, 160), new ImageRegion(0.1, 0.2, 0.9, 0.8).ToPixels(new Grid(200, 100)));
        Assert.Equal(new PixelBox(0, 0, 1, 1), new ImageRegion(0.2, 0.3, 0.001, 0.1).ToPixels(new Grid(1, 1)));
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            var (x, y) = (random.NextDouble() * 0.999, random.NextDouble() * 0.999);
            var size = new Grid(random.Next(1, 500), random.Next(1, 500));
            var box = new ImageRegion(x, y, 0.001 + (0.999 - x) * random.NextDouble(), 1 - y).ToPixels(size);
            Assert.InRange(box.X, 0, size.Width - box.Width);
            Assert.InRange(box.Y, 0, size.Height - box.Height);
            Assert.True(box is { Width: >= 1, Height: >= 1 });
        }
    }

    [Fact]
    public void A_box_is_four_numbers_as_text()
    {
        var region = new ImageRegion(0.1, 1 / 3.0, 0.25, 0.5);
        Assert.Equal(region, ImageRegion.TryParse(region.ToString()));
        foreach (var text in new[] { "", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0.1;0.2;0.3;0.4" })
            Assert.Null(ImageRegion.TryParse(text));
    }

    [Fact]
    public void Maps_lead_back()
    {
        var map = AffineMap.Create(2, 3, 4, 5).Then(AffineMap.Create(new RigidTransform(0.3, 7, -2), new Grid(64, 64)));
        var (x, y) = map.Map(3, -4);
        var (backX, backY) = map.Inverse().Map(x, y);
        Assert.Equal((3, -4), (Math.Round(backX, 9), Math.Round(backY, 9)));
        var movement = new RigidTransform(-0.2, 3, 1);
        var (centreX, centreY) = movement.Map(10, 20, new Grid(64, 64));
        var (edgeX, edgeY) = AffineMap.Create(movement, new Grid(64, 64)).Map(10.5, 20.5);
        Assert.Equal(centreX + 0.5, edgeX, 1e-9);
        Assert.Equal(centreY + 0.5, edgeY, 1e-9);
    }

    [Fact]
    public void What_is_found_in_a_region_lies_where_it_is_in_the_image()
    {
        var upright = RegionPlacement.CreateUpright(new Grid(50, 60), new PixelBox(20, 10, 30, 25));
        var area = new AnomalyRegion(
            3,
            4,
            5,
            6,
            20,
            7,
            [
                [3, 4],
                [8, 4],
                [8, 10],
            ]
        );
        var moved = new RegionMapper(upright).ToImage(area);
        Assert.Equal((23, 14, 5, 6, 20), (moved.X, moved.Y, moved.Width, moved.Height, moved.Area));
        Assert.Equal([23f, 14f], moved.Contour![0]);
        var values = new float[30 * 25];
        values[4 * 30 + 3] = 5;
        var map = new RegionMapper(upright).ToImage(new AnomalyMap(new Grid(25, 30), values));
        Assert.Equal(5, map.Values[14 * 60 + 23]);
        Assert.Equal(5, map.Values.Sum());
        Assert.Equal(30 * 25, new RegionMapper(upright).MarkOutside((_, _) => false).Count(mark => !mark));

        // A quarter turn about the centre of a square image.
        var turned = new RegionPlacement(
            new Grid(40, 40),
            new Grid(10, 20),
            AffineMap.Create(1, 1, 4, 2).Then(AffineMap.Create(new RigidTransform(Math.PI / 2, 0, 0), new Grid(40, 40)))
        );
        var box = turned.FindBox(0.25, 0.25, 19.75, 9.75);
        Assert.Equal(new PixelBox(28, 4, 10, 20), box);
        var mask = new byte[200];
        mask[0] = 255;
        var marks = new RegionMapper(turned).ToImage(mask);
        Assert.Equal(4 * 40 + 37, Array.IndexOf(marks, (byte)255));
    }

    [Fact]
    public void What_lies_beyond_the_image_is_cut_off()
    {
        var placement = new RegionPlacement(new Grid(20, 20), new Grid(10, 10), AffineMap.Create(1, 1, -6, 30));
        Assert.Equal(new PixelBox(0, 19, 4, 1), placement.FindBox());
        Assert.DoesNotContain(
            (byte)255,
            new RegionMapper(placement).ToImage(Enumerable.Repeat((byte)255, 100).ToArray())
        );
    }
}
