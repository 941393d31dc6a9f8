using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Scoring;

public sealed class RegionOfInterestTests
{
    /// <summary>Patches of 4 x 4 pixels, or of sizes that do not divide the image.</summary>
    public static TheoryData<int, int, int, int, double> Shapes =>
        new()
        {
            { 32, 32, 8, 8, 0 },
            { 32, 32, 8, 8, 1 },
            { 32, 32, 8, 8, 4 },
            { 31, 44, 7, 5, 0 },
            { 31, 44, 7, 5, 1.3 },
            { 9, 20, 2, 6, 4 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_map_equals_the_definition_at_every_pixel(int height, int width, int rows, int columns, double sigma)
    {
        var prepared = new Grid(height, width);
        var patches = new Grid(rows, columns);
        foreach (var ignored in Masks(prepared))
        {
            var distances = Draw(patches);
            var map = distances.ToPixels(prepared, sigma, new RegionOfInterest(ignored, prepared, patches, sigma));
            Assert.Equal(prepared, map.Grid);
            Close.Relative(Twin(distances, ignored, prepared, sigma), map.Values, 2e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Ignored_pixels_are_0_and_constant_distances_stay_constant_on_all_others(
        int height,
        int width,
        int rows,
        int columns,
        double sigma
    )
    {
        var prepared = new Grid(height, width);
        var patches = new Grid(rows, columns);
        var distances = new AnomalyMap(patches, [.. Enumerable.Repeat(3.7f, patches.Positions)]);
        foreach (var ignored in Masks(prepared))
        {
            var map = distances.ToPixels(prepared, sigma, new RegionOfInterest(ignored, prepared, patches, sigma));
            Assert.All(map.Values.Zip(ignored), pixel => Assert.Equal(pixel.Second ? 0 : 3.7f, pixel.First, 1e-4f));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void What_happens_in_patches_that_are_wholly_ignored_changes_no_pixel(double sigma)
    {
        var prepared = new Grid(32, 32);
        var patches = new Grid(8, 8);
        // Columns 10 to 21: the patches of columns 3 and 4 are ignored as a whole, those of columns 2 and 5 by half.
        var ignored = Mask(prepared, (_, x) => x is >= 10 and < 22);
        var region = new RegionOfInterest(ignored, prepared, patches, sigma);
        var quiet = Draw(patches);
        var loud = new AnomalyMap(patches, [.. quiet.Values.Select((value, p) => p % 8 is 3 or 4 ? 1e6f : value)]);
        Assert.Equal(quiet.ToPixels(prepared, sigma, region).Values, loud.ToPixels(prepared, sigma, region).Values);
        // Without the mask it would make a difference.
        Assert.NotEqual(quiet.ToPixels(prepared, sigma).Values, loud.ToPixels(prepared, sigma).Values);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void An_empty_mask_gives_the_map_of_no_mask(int height, int width, int rows, int columns, double sigma)
    {
        var prepared = new Grid(height, width);
        var patches = new Grid(rows, columns);
        var distances = Draw(new Grid(rows, columns));
        var map = distances.ToPixels(
            prepared,
            sigma,
            new RegionOfInterest(new bool[prepared.Positions], prepared, patches, sigma)
        );
        Close.Relative(Array.ConvertAll(distances.ToPixels(prepared, sigma).Values, v => (double)v), map.Values, 1e-5);
    }

    [Fact]
    public void One_pixel_that_counts_has_the_distance_of_its_patch()
    {
        var prepared = new Grid(32, 32);
        var patches = new Grid(8, 8);
        var distances = Draw(new Grid(8, 8));
        var map = distances.ToPixels(
            prepared,
            4,
            new RegionOfInterest(Mask(prepared, (y, x) => (y, x) != (13, 22)), prepared, patches, 4)
        );
        Assert.Equal(distances.Values[3 * 8 + 5], map.Values[13 * 32 + 22], 1e-4f);
        Assert.Equal(map.Max(), map.Values[13 * 32 + 22]);
    }

    [Fact]
    public void Making_a_map_leaves_the_distances_as_they_were()
    {
        var prepared = new Grid(32, 32);
        var patches = new Grid(8, 8);
        var distances = Draw(new Grid(8, 8));
        var before = distances.Values.ToArray();
        distances.ToPixels(prepared, 0, new RegionOfInterest(Masks(prepared)[0], prepared, patches, 0));
        Assert.Equal(before, distances.Values);
    }

    [Fact]
    public void A_mask_that_leaves_nothing_is_refused()
    {
        var prepared = new Grid(8, 8);
        var patches = new Grid(2, 2);
        Assert.Contains(
            "every pixel",
            Assert
                .Throws<ArgumentException>(
                    "ignored",
                    () => new RegionOfInterest(Mask(prepared, (_, _) => true), prepared, patches, 4)
                )
                .Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentException>("ignored", () => new RegionOfInterest(new bool[63], prepared, patches, 4));
    }

    [Theory]
    [InlineData(48, 32, 8)]
    [InlineData(49, 32, 8)]
    public void Of_a_crop_the_mask_is_cut_as_the_image_is(int side, int crop, int margin)
    {
        var settings = new FitSettings { ImageSize = side, CropSize = crop };
        var ignored = Mask(new Grid(side, side), (y, x) => (y * 31 + x * 17) % 5 == 0);
        var region = settings.CreateRegion(ignored, new Grid(8, 8));
        Assert.Equal(Mask(new Grid(crop, crop), (y, x) => ignored[(y + margin) * side + x + margin]), region!.Ignored);
    }

    [Fact]
    public void Without_a_crop_the_mask_is_taken_as_it_is()
    {
        var settings = new FitSettings { ImageSize = 32 };
        var ignored = Masks(new Grid(32, 32))[0];
        Assert.Equal(ignored, settings.CreateRegion(ignored, new Grid(8, 8))!.Ignored);
        Assert.Null(settings.CreateRegion(null, new Grid(8, 8)));
    }

    [Fact]
    public void A_mask_that_leaves_only_what_the_crop_cuts_off_is_refused()
    {
        var settings = new FitSettings { ImageSize = 48, CropSize = 32 };
        Assert.Throws<ArgumentException>(
            "ignored",
            () => settings.CreateRegion(Mask(new Grid(48, 48), (y, _) => y > 3), new Grid(8, 8))
        );
        Assert.Throws<ArgumentException>("ignored", () => settings.CreateRegion(new bool[32 * 32], new Grid(8, 8)));
    }

    /// <summary>
    /// Distances times the share of each patch that counts, upsampled and smoothed, over the shares upsampled and
    /// smoothed.
    /// </summary>
    private static double[] Twin(AnomalyMap distances, bool[] ignored, Grid prepared, double sigma)
    {
        var rows = distances.Grid.Height;
        var columns = distances.Grid.Width;
        var counted = new double[rows, columns];
        var pixels = new double[rows, columns];
        for (var y = 0; y < prepared.Height; y++)
        for (var x = 0; x < prepared.Width; x++)
        {
            pixels[y * rows / prepared.Height, x * columns / prepared.Width]++;
            if (!ignored[y * prepared.Width + x])
                counted[y * rows / prepared.Height, x * columns / prepared.Width]++;
        }
        var weights = new double[rows, columns];
        var weighted = new double[rows, columns];
        for (var r = 0; r < rows; r++)
        for (var c = 0; c < columns; c++)
        {
            weights[r, c] = counted[r, c] / pixels[r, c];
            weighted[r, c] = weights[r, c] * distances.Values[r * columns + c];
        }
        var above = ReferenceMap.Smooth(ReferenceMap.Upsample(weighted, prepared.Height, prepared.Width), sigma).Flat();
        var below = ReferenceMap.Smooth(ReferenceMap.Upsample(weights, prepared.Height, prepared.Width), sigma).Flat();
        return [.. above.Select((value, i) => ignored[i] ? 0 : value / below[i])];
    }

    /// <summary>A disc, a slanted strip that cuts patches in two, scattered pixels, and all but a corner.</summary>
    private static bool[][] Masks(Grid size) =>
        [
            Mask(size, (y, x) => Math.Pow(y - size.Height / 2.0, 2) + Math.Pow(x - size.Width / 3.0, 2) < 30),
            Mask(size, (y, x) => Math.Abs(x - y) is >= 3 and < 7),
            Mask(size, (y, x) => (y * 31 + x * 17) % 5 == 0),
            Mask(size, (y, x) => y > 2 || x > 1),
        ];

    private static bool[] Mask(Grid size, Func<int, int, bool> ignored) =>
        [.. Enumerable.Range(0, size.Positions).Select(p => ignored(p / size.Width, p % size.Width))];

    private static AnomalyMap Draw(Grid grid) =>
        new(
            grid,
            [
                .. RandomEmbeddings
                    .Normals(new Random(grid.Height * 100 + grid.Width), grid.Positions)
                    .Select(z => (float)(0.5 + Math.Abs(z))),
            ]
        );
}
