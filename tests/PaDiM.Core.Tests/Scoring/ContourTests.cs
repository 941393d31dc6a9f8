using FsCheck;
using FsCheck.Xunit;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Tests.Scoring;

/// <summary>
/// Contours of regions against a slow area with filled holes. A contour's area may differ by its tolerance times its
/// length, and by the half pixel that the middles of pixel sides cut off.
/// </summary>
public sealed class ContourTests
{
    [Property(MaxTest = 60)]
    public void Contours_are_simple_clockwise_within_the_box_and_have_the_area_of_the_region(
        PositiveInt height,
        PositiveInt width,
        int seed,
        byte share
    )
    {
        var size = new Grid(1 + height.Get % 30, 1 + width.Get % 30);
        var random = new Random(seed);
        var map = Map(size, (_, _) => random.Next(256) < 64 + share / 2);
        foreach (var region in RegionFinder.Find(map, 1, contours: true))
            AssertContour(map, region);
    }

    [Fact]
    public void A_single_pixel_is_a_diamond()
    {
        var region = Assert.Single(RegionFinder.Find(Map(new Grid(3, 3), (x, y) => (x, y) == (1, 1)), 1, true));
        Assert.Equal(
            [
                [1.5f, 1],
                [2, 1.5f],
                [1.5f, 2],
                [1, 1.5f],
            ],
            region.Contour!
        );
    }

    [Fact]
    public void A_rectangle_keeps_its_sides_and_loses_its_corners()
    {
        var region = Assert.Single(
            RegionFinder.Find(Map(new Grid(9, 12), (x, y) => x is >= 2 and < 9 && y is >= 3 and < 7), 1, true)
        );
        Assert.Equal(7 * 4, ComputeArea(region.Contour!), 1.0);
        Assert.InRange(region.Contour!.Length, 4, 8);
    }

    [Fact]
    public void A_disc_needs_few_corners_and_loses_little_area()
    {
        var map = Map(new Grid(200, 200), (x, y) => Math.Sqrt(Square(x - 100) + Square(y - 100)) < 70);
        var region = Assert.Single(RegionFinder.Find(map, 1, true));
        Assert.InRange(region.Contour!.Length, 8, 60);
        Assert.InRange(ComputeArea(region.Contour!) / region.Area, 0.98, 1.02);

        static double Square(double value) => value * value;
    }

    /// <summary>A comb has more corners than a contour may have, whatever the tolerance.</summary>
    [Fact]
    public void A_contour_never_has_more_corners_than_allowed()
    {
        var size = new Grid(60, 801);
        var map = Map(size, (x, y) => x % 2 == 0 || y >= 55);
        var region = Assert.Single(RegionFinder.Find(map, 1, true));
        Assert.InRange(region.Contour!.Length, 3, RegionFinder.MaxContourCorners);
        Assert.True(IsSimple(region.Contour!));
        AssertWithin(region);
    }

    [Fact]
    public void Noise_over_a_large_map_is_traced_in_bounds()
    {
        var random = new Random(1);
        var map = Map(new Grid(256, 256), (_, _) => random.Next(100) < 60);
        var regions = RegionFinder.Find(map, 1, true);
        Assert.All(regions, region => Assert.InRange(region.Contour!.Length, 3, RegionFinder.MaxContourCorners));
        Assert.All(regions, AssertWithin);
    }

    [Fact]
    public void Without_being_asked_regions_have_no_contour() =>
        Assert.Null(Assert.Single(RegionFinder.Find(Map(new Grid(2, 2), (_, _) => true), 1)).Contour);

    private static void AssertContour(AnomalyMap map, AnomalyRegion region)
    {
        var contour = region.Contour!;
        AssertWithin(region);
        Assert.True(IsSimple(contour), Show(contour));
        Assert.True(ComputeArea(contour) > 0, $"not clockwise: {Show(contour)}");
        if (contour.Length < RegionFinder.MaxContourCorners)
        {
            var allowed = RegionFinder.GetContourTolerance(region.Area) * ComputeLength(contour) + 1e-6;
            Assert.InRange(ComputeArea(contour) + 0.5 - CountFilled(map, region), -allowed, allowed);
        }
    }

    private static void AssertWithin(AnomalyRegion region) =>
        Assert.All(
            region.Contour!,
            corner =>
            {
                Assert.InRange(corner[0], region.X, region.X + region.Width);
                Assert.InRange(corner[1], region.Y, region.Y + region.Height);
            }
        );

    /// <summary>Counts the pixels of a region and those that it encloses: what its outside does not reach.</summary>
    private static int CountFilled(AnomalyMap map, AnomalyRegion region)
    {
        // The region is the 8-connected area with its peak; all areas here have the same. So flood from a corner pixel.
        var size = map.Grid;
        var first = ((int)region.Contour!.MinBy(corner => corner[1])![0], region.Y);
        var own = Flood([first], at => Is(at), eight: true);
        var rim = Enumerable
            .Range(-1, size.Width + 2)
            .SelectMany(x => new[] { (x, -1), (x, size.Height) })
            .Concat(Enumerable.Range(-1, size.Height + 2).SelectMany(y => new[] { (-1, y), (size.Width, y) }));
        var outside = Flood(rim, at => IsNear(at) && !own.Contains(at), eight: false);
        return (size.Width + 2) * (size.Height + 2) - outside.Count;

        bool Is((int X, int Y) at) =>
            at.X >= 0
            && at.Y >= 0
            && at.X < size.Width
            && at.Y < size.Height
            && map.Values[at.Y * size.Width + at.X] >= 1;

        bool IsNear((int X, int Y) at) => at.X >= -1 && at.Y >= -1 && at.X <= size.Width && at.Y <= size.Height;
    }

    private static HashSet<(int X, int Y)> Flood(
        IEnumerable<(int X, int Y)> from,
        Func<(int X, int Y), bool> may,
        bool eight
    )
    {
        var reached = from.ToHashSet();
        var pending = new Stack<(int X, int Y)>(reached);
        while (pending.TryPop(out var at))
            for (var dy = -1; dy <= 1; dy++)
            for (var dx = -1; dx <= 1; dx++)
                if ((eight || dx == 0 || dy == 0) && may((at.X + dx, at.Y + dy)) && reached.Add((at.X + dx, at.Y + dy)))
                    pending.Push((at.X + dx, at.Y + dy));
        return reached;
    }

    /// <summary>The shoelace formula; positive for clockwise, because y points down.</summary>
    private static double ComputeArea(float[][] contour) =>
        Sides(contour).Sum(side => (double)side.From[0] * side.To[1] - (double)side.To[0] * side.From[1]) / 2;

    private static double ComputeLength(float[][] contour) =>
        Sides(contour).Sum(side => double.Hypot(side.To[0] - side.From[0], side.To[1] - side.From[1]));

    private static bool IsSimple(float[][] contour)
    {
        var sides = Sides(contour).ToArray();
        for (var i = 0; i < sides.Length; i++)
        for (var j = i + 2; j < sides.Length; j++)
            if ((i != 0 || j != sides.Length - 1) && Meet(sides[i], sides[j]))
                return false;
        return true;
    }

    private static bool Meet((float[] From, float[] To) a, (float[] From, float[] To) b) =>
        Turn(a.From, a.To, b.From) * Turn(a.From, a.To, b.To) <= 0
        && Turn(b.From, b.To, a.From) * Turn(b.From, b.To, a.To) <= 0
        && Overlap(a, b, 0)
        && Overlap(a, b, 1);

    private static bool Overlap((float[] From, float[] To) a, (float[] From, float[] To) b, int axis) =>
        Math.Max(Math.Min(a.From[axis], a.To[axis]), Math.Min(b.From[axis], b.To[axis]))
        <= Math.Min(Math.Max(a.From[axis], a.To[axis]), Math.Max(b.From[axis], b.To[axis]));

    private static int Turn(float[] a, float[] b, float[] c) =>
        Math.Sign(((double)b[0] - a[0]) * (c[1] - a[1]) - ((double)b[1] - a[1]) * (c[0] - a[0]));

    private static IEnumerable<(float[] From, float[] To)> Sides(float[][] contour) =>
        contour.Select((corner, i) => (corner, contour[(i + 1) % contour.Length]));

    private static string Show(float[][] contour) =>
        string.Join(' ', contour.Select(corner => $"({corner[0]}, {corner[1]})"));

    private static AnomalyMap Map(Grid size, Func<int, int, bool> isIn) =>
        new(size, [.. Enumerable.Range(0, size.Positions).Select(i => isIn(i % size.Width, i / size.Width) ? 1f : 0f)]);
}
