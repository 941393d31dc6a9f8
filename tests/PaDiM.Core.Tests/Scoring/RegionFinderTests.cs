using FsCheck;
using FsCheck.Xunit;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Scoring;

public sealed class RegionFinderTests
{
    [Property]
    public void Regions_equal_those_of_a_slow_labelling(PositiveInt height, PositiveInt width, int seed, byte level)
    {
        var h = 1 + height.Get % 24;
        var w = 1 + width.Get % 24;
        var random = new Random(seed);
        // A coarse lattice: ties between pixels, and with the threshold, are common.
        var map = new AnomalyMap(new Grid(h, w), [.. Enumerable.Range(0, h * w).Select(_ => random.Next(8) / 4f)]);
        var threshold = level % 8 / 4.0;
        Assert.Equal(Expected(map, threshold), RegionFinder.Find(map, threshold));
    }

    [Fact]
    public void Corners_connect()
    {
        var regions = RegionFinder.Find(Map("#..", ".#.", "..#"), 1);
        Assert.Equal([new AnomalyRegion(0, 0, 3, 3, 3, 1)], regions);
    }

    [Fact]
    public void Rows_do_not_connect_around_the_border() =>
        Assert.Equal(2, RegionFinder.Find(Map("..#", "#.."), 1).Count);

    [Fact]
    public void A_value_equal_to_the_threshold_counts_and_the_next_below_does_not()
    {
        var map = new AnomalyMap(new Grid(1, 3), [0.7f, 0, MathF.BitDecrement(0.7f)]);
        Assert.Equal([new AnomalyRegion(0, 0, 1, 1, 1, 0.7f)], RegionFinder.Find(map, 0.7f));
    }

    [Fact]
    public void Regions_come_by_falling_peak_not_by_area()
    {
        var map = new AnomalyMap(new Grid(1, 7), [2, 2, 2, 0, 5, 0, 3]);
        Assert.Equal([5, 3, 2], RegionFinder.Find(map, 1).Select(region => region.PeakScore));
    }

    [Fact]
    public void A_map_below_the_threshold_has_no_regions() => Assert.Empty(RegionFinder.Find(Map("###", "###"), 1.01));

    [Fact]
    public void A_whole_large_map_is_one_region_found_without_recursion()
    {
        var map = new AnomalyMap(new Grid(512, 700), [.. Enumerable.Repeat(1f, 512 * 700)]);
        Assert.Equal([new AnomalyRegion(0, 0, 700, 512, 512 * 700, 1)], RegionFinder.Find(map, 1));
    }

    [Fact]
    public void A_value_that_is_not_a_number_belongs_to_no_region() =>
        Assert.Equal(2, RegionFinder.Find(new AnomalyMap(new Grid(1, 3), [1, float.NaN, 1]), 0.5).Count);

    private static AnomalyMap Map(params string[] rows) =>
        new(new Grid(rows.Length, rows[0].Length), [.. rows.SelectMany(row => row.Select(c => c == '#' ? 1f : 0f))]);

    private static AnomalyRegion[] Expected(AnomalyMap map, double threshold)
    {
        var height = map.Grid.Height;
        var width = map.Grid.Width;
        var labels = ReferenceRegions.Label(map.Values.Square(height, width), threshold).Cast<int>().ToArray();
        return
        [
            .. Enumerable
                .Range(0, labels.Length)
                .Where(i => labels[i] != 0)
                .GroupBy(i => labels[i])
                .OrderBy(area => area.Key)
                .Select(area =>
                {
                    var left = area.Min(i => i % width);
                    var top = area.Min(i => i / width);
                    return new AnomalyRegion(
                        left,
                        top,
                        area.Max(i => i % width) - left + 1,
                        area.Max(i => i / width) - top + 1,
                        area.Count(),
                        area.Max(i => map.Values[i])
                    );
                })
                .OrderByDescending(region => region.PeakScore),
        ];
    }
}
