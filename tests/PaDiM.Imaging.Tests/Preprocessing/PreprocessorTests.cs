using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Imaging.Tests.Preprocessing;

public sealed class PreprocessorTests
{
    private static readonly Normalisation Plain = new([0, 0, 0], [1, 1, 1]);

    [Fact]
    public void Channels_become_planes_and_are_normalised()
    {
        var image = new RgbImage(1, 1, [255, 51, 0]);
        var prepared = Prepare(
            image,
            new FitSettings { ImageSize = 4 },
            new Normalisation([0.5f, 0.1f, 0.25f], [0.25f, 0.5f, 0.125f])
        );
        Assert.All(prepared[..16], v => Assert.Equal(2, v, 1e-5));
        Assert.All(prepared[16..32], v => Assert.Equal(0.2, v, 1e-5));
        Assert.All(prepared[32..], v => Assert.Equal(-2, v, 1e-5));
    }

    [Fact]
    public void Blue_can_come_first_and_pixels_can_stay_as_they_are()
    {
        var image = new RgbImage(1, 1, [255, 51, 10]);
        var prepared = Prepare(
            image,
            new FitSettings { ImageSize = 4 },
            new Normalisation([4, 50, 55], [2, 1, 100], Range: 255, ChannelOrder.Bgr)
        );
        Assert.All(prepared[..16], v => Assert.Equal(3, v, 1e-4));
        Assert.All(prepared[16..32], v => Assert.Equal(1, v, 1e-4));
        Assert.All(prepared[32..], v => Assert.Equal(2, v, 1e-4));
    }

    [Fact]
    public void The_text_that_models_record_tells_inputs_apart_and_is_what_it_was()
    {
        Assert.Equal("(x / 255 - [0, 0, 0]) / [1, 1, 1]", Plain.ToString());
        Assert.Equal(
            "(x - [0, 0, 0]) / [1, 1, 1], BGR",
            (Plain with { Range = 255, ChannelOrder = ChannelOrder.Bgr }).ToString()
        );
        Assert.Equal("(x * 2 / 255 - [0, 0, 0]) / [1, 1, 1]", (Plain with { Range = 2 }).ToString());
    }

    [Theory]
    [InlineData(40, 40)]
    [InlineData(64, 34)]
    public void A_score_measures_an_image_as_the_fit_measured_its_stored_pixels(int imageSize, int cropSize)
    {
        var image = Samples.Noise(90, 50);
        var preprocessor = new Preprocessor(new FitSettings { ImageSize = imageSize, CropSize = cropSize }, Plain);
        var size = new Grid(50, 90);
        var frame = preprocessor.CreateFrame(size);
        preprocessor.Prepare(image, frame, new float[3 * cropSize * cropSize], out var traits);
        var stored = preprocessor.Measure(Preprocessor.Shrink(image, frame), size);
        Assert.Equal(stored.Brightness, traits.Brightness, 1e-2);
        Assert.Equal(stored.Sharpness, traits.Sharpness, 1e-2);
        Assert.Equal(stored.Contrast, traits.Contrast, 1e-2);
        Assert.Equal((stored.Size, stored.Brightest), (traits.Size, traits.Brightest));
        // What is measured does not change what is prepared.
        var prepared = new float[3 * cropSize * cropSize];
        preprocessor.Prepare(image, prepared);
        var measured = new float[prepared.Length];
        preprocessor.Prepare(image, frame, measured, out _);
        Assert.Equal(prepared, measured);
    }

    [Theory]
    [InlineData(40, 32)]
    [InlineData(64, 34)]
    [InlineData(64, 64)]
    public void The_crop_is_the_middle_of_the_resized_image(int imageSize, int cropSize)
    {
        var image = Samples.Noise(90, 50);
        var whole = Prepare(image, new FitSettings { ImageSize = imageSize }, Plain);
        var cropped = Prepare(image, new FitSettings { ImageSize = imageSize, CropSize = cropSize }, Plain);
        var offset = (imageSize - cropSize) / 2;
        for (var c = 0; c < 3; c++)
        for (var y = 0; y < cropSize; y++)
        for (var x = 0; x < cropSize; x++)
            Assert.Equal(
                whole[c * imageSize * imageSize + (y + offset) * imageSize + x + offset],
                cropped[c * cropSize * cropSize + y * cropSize + x]
            );
    }

    [Theory]
    [InlineData(640, 480, null)]
    [InlineData(300, 900, null)]
    [InlineData(64, 64, null)]
    [InlineData(640, 480, 48)]
    [InlineData(123, 457, 56)]
    public void A_region_found_where_something_was_drawn_lies_there_in_the_original(int width, int height, int? crop)
    {
        var settings = new FitSettings { ImageSize = 64, CropSize = crop };
        // A white rectangle on black whose sides fall between whole prepared pixels: three eighths in, a quarter wide.
        var left = width * 3 / 8;
        var top = height * 5 / 16;
        var right = width * 5 / 8;
        var bottom = height / 2;
        var pixels = new byte[width * height * 3];
        for (var y = top; y < bottom; y++)
            pixels.AsSpan(3 * (y * width + left), 3 * (right - left)).Fill(255);
        var preprocessing = new Preprocessor(settings, Plain);
        var prepared = Prepare(new RgbImage(width, height, pixels), settings, Plain);
        var size = preprocessing.PreparedSize;
        var map = new AnomalyMap(size, prepared[..size.Positions]);

        var region = Back(preprocessing, width, height).ToOriginal(Assert.Single(RegionFinder.Find(map, 0.5)));
        // One prepared pixel is this many of the original's; rounding outwards adds up to one more.
        var toleranceX = width / 64.0 / 2 + 1;
        var toleranceY = height / 64.0 / 2 + 1;
        Assert.InRange(region.X - left, -toleranceX, toleranceX);
        Assert.InRange(region.Y - top, -toleranceY, toleranceY);
        Assert.InRange(region.X + region.Width - right, -toleranceX, toleranceX);
        Assert.InRange(region.Y + region.Height - bottom, -toleranceY, toleranceY);
        Assert.InRange((double)region.Area / ((right - left) * (bottom - top)), 0.85, 1.15);

        var original = Back(preprocessing, width, height).ToOriginal(map);
        Assert.Equal(new Grid(height, width), original.Grid);
        var drawn = Assert.Single(RegionFinder.Find(original, 0.5));
        Assert.InRange(drawn.X - left, -1, 1);
        Assert.InRange(drawn.Y - top, -1, 1);
        Assert.InRange(drawn.X + drawn.Width - right, -1, 1);
        Assert.InRange(drawn.Y + drawn.Height - bottom, -1, 1);
    }

    [Theory]
    [InlineData(640, 480)]
    [InlineData(7, 5)]
    [InlineData(1, 1)]
    public void A_region_of_everything_is_the_whole_original_and_a_corner_stays_inside(int width, int height)
    {
        var preprocessing = new Preprocessor(new FitSettings { ImageSize = 64 }, Plain);
        var whole = Back(preprocessing, width, height).ToOriginal(new AnomalyRegion(0, 0, 64, 64, 64 * 64, 1));
        Assert.Equal((0, 0, width, height, width * height), (whole.X, whole.Y, whole.Width, whole.Height, whole.Area));
        var corner = Back(preprocessing, width, height).ToOriginal(new AnomalyRegion(63, 63, 1, 1, 1, 1));
        Assert.Equal((width, height), (corner.X + corner.Width, corner.Y + corner.Height));
        Assert.True(corner is { Width: > 0, Height: > 0, Area: > 0 });
    }

    [Theory]
    [InlineData(640, 480, null)]
    [InlineData(101, 67, null)]
    [InlineData(64, 64, null)]
    [InlineData(20, 9, null)]
    [InlineData(1, 1, null)]
    [InlineData(333, 250, 48)]
    [InlineData(17, 40, 48)]
    public void A_mask_fills_its_regions_and_nothing_else(int width, int height, int? crop)
    {
        var preprocessing = new Preprocessor(new FitSettings { ImageSize = 64, CropSize = crop }, Plain);
        var size = preprocessing.PreparedSize;
        var random = new Random(width);
        var map = new AnomalyMap(size, [.. Enumerable.Range(0, size.Positions).Select(_ => (float)random.Next(20))]);
        const int Threshold = 19;

        var mask = Back(preprocessing, width, height).ToOriginalMask(map, Threshold);

        Assert.Equal(width * height, mask.Length);
        Assert.All(mask, value => Assert.True(value is 0 or 255));
        var regions = RegionFinder
            .Find(map, Threshold, contours: true)
            .Select(region => Back(preprocessing, width, height).ToOriginal(region))
            .ToArray();
        Assert.All(
            regions,
            region =>
            {
                Assert.Contains(Within(region), pixel => mask[pixel] == 255);
                Assert.All(
                    region.Contour!,
                    corner =>
                    {
                        Assert.InRange(corner[0], region.X, region.X + region.Width);
                        Assert.InRange(corner[1], region.Y, region.Y + region.Height);
                    }
                );
            }
        );
        var covered = regions.SelectMany(Within).ToHashSet();
        Assert.DoesNotContain(
            Enumerable.Range(0, mask.Length),
            pixel => mask[pixel] == 255 && !covered.Contains(pixel)
        );
        if (width == 64 && height == 64)
            Assert.Equal(map.Values.Select(value => value >= Threshold), mask.Select(value => value == 255));

        IEnumerable<int> Within(AnomalyRegion region) =>
            from y in Enumerable.Range(region.Y, region.Height)
            from x in Enumerable.Range(region.X, region.Width)
            select y * width + x;
    }

    [Theory]
    [InlineData(90, 90, 64)]
    [InlineData(33, 33, 64)]
    public void For_a_square_all_aspects_prepare_the_same(int side, int other, int imageSize)
    {
        var image = Samples.Noise(side, other);
        var stretched = Prepare(image, new FitSettings { ImageSize = imageSize }, Plain);
        foreach (var aspect in new[] { AspectMode.Letterbox, AspectMode.Crop })
            Assert.Equal(stretched, Prepare(image, new FitSettings { ImageSize = imageSize, Aspect = aspect }, Plain));
    }

    [Theory]
    [InlineData(100, 50, null)]
    [InlineData(50, 100, null)]
    [InlineData(100, 50, 48)]
    public void A_letterbox_has_the_rows_of_the_resized_image_and_repeats_its_edge(int width, int height, int? crop)
    {
        var image = Samples.Noise(width, height);
        var isWide = width > height;
        var settings = new FitSettings { ImageSize = 64, Aspect = AspectMode.Letterbox };
        var boxed = Prepare(image, settings with { CropSize = crop }, Plain);
        var (shownWidth, shownHeight) = isWide ? (64, 32) : (32, 64);
        var byHand = Prepare(image, new FitSettings { ImageWidth = shownWidth, ImageHeight = shownHeight }, Plain);
        var side = crop ?? 64;
        var margin = (64 - side) / 2;
        for (var c = 0; c < 3; c++)
        for (var y = 0; y < side; y++)
        for (var x = 0; x < side; x++)
        {
            var shownX = Math.Clamp(x + margin - (64 - shownWidth) / 2, 0, shownWidth - 1);
            var shownY = Math.Clamp(y + margin - (64 - shownHeight) / 2, 0, shownHeight - 1);
            Assert.Equal(byHand[(c * shownHeight + shownY) * shownWidth + shownX], boxed[(c * side + y) * side + x]);
        }
    }

    [Fact]
    public void A_crop_has_the_pixels_of_the_centre()
    {
        // Far from the cut, the pixels beside it have no share.
        var image = Samples.Noise(200, 100);
        var cut = Prepare(image, new FitSettings { ImageSize = 50, Aspect = AspectMode.Crop }, Plain);
        var centre = new byte[3 * 100 * 100];
        for (var y = 0; y < 100; y++)
            image.Pixels.AsSpan(3 * (y * 200 + 50), 300).CopyTo(centre.AsSpan(300 * y));
        var byHand = Prepare(new RgbImage(100, 100, centre), new FitSettings { ImageSize = 50 }, Plain);
        for (var c = 0; c < 3; c++)
        for (var y = 0; y < 50; y++)
        for (var x = 1; x < 49; x++)
            Assert.Equal(byHand[(c * 50 + y) * 50 + x], cut[(c * 50 + y) * 50 + x], 1e-6);
    }

    [Theory]
    [InlineData(AspectMode.Stretch)]
    [InlineData(AspectMode.Letterbox)]
    [InlineData(AspectMode.Crop)]
    public void A_score_measures_every_shape_as_the_fit_did(AspectMode aspect)
    {
        var settings = new FitSettings
        {
            ImageWidth = 70,
            ImageHeight = 45,
            Aspect = aspect,
            CropSize = 40,
        };
        var image = Samples.Noise(120, 90);
        var preprocessor = new Preprocessor(settings, Plain);
        var frame = preprocessor.CreateFrame(new Grid(90, 120));
        var prepared = new float[3 * 40 * 40];
        preprocessor.Prepare(image, frame, prepared, out var traits);
        var shrunk = Preprocessor.Shrink(image, frame);
        var stored = preprocessor.Measure(shrunk, frame.Original);
        Assert.Equal(stored.Brightness, traits.Brightness, 1e-2);
        Assert.Equal(stored.Sharpness, traits.Sharpness, 1e-2);
        var again = new float[prepared.Length];
        preprocessor.Prepare(shrunk, again);
        for (var i = 0; i < again.Length; i++)
            Assert.Equal(prepared[i], again[i], 0.5 / 255 + 1e-6);
        // With the other path, for fits.
        var fitted = new float[prepared.Length];
        var filled = new RgbImage(shrunk.Width, shrunk.Height, new byte[shrunk.Pixels.Length]);
        preprocessor.PrepareAndShrink(image, frame, fitted, filled);
        Assert.Equal(prepared, fitted);
        Assert.Equal(shrunk.Pixels, filled.Pixels);
    }

    [Fact]
    public void What_the_crop_left_out_scores_nothing()
    {
        var preprocessing = new Preprocessor(new FitSettings { ImageSize = 64, CropSize = 32 }, Plain);
        var map = Back(preprocessing, 128, 128)
            .ToOriginal(new AnomalyMap(new Grid(32, 32), [.. Enumerable.Repeat(3f, 1024)]));
        for (var y = 0; y < 128; y++)
        for (var x = 0; x < 128; x++)
        {
            var inside = x is > 32 and < 95 && y is > 32 and < 95;
            var outside = x is < 31 or > 96 || y is < 31 or > 96;
            if (inside)
                Assert.Equal(3, map.Values[y * 128 + x]);
            if (outside)
                Assert.Equal(0, map.Values[y * 128 + x]);
        }
    }

    private static OriginalMapper Back(Preprocessor preprocessing, int width, int height) =>
        new(preprocessing.CreateFrame(new Grid(height, width)));

    private static float[] Prepare(RgbImage image, FitSettings settings, Normalisation normalisation)
    {
        var preprocessing = new Preprocessor(settings, normalisation);
        var prepared = new float[3 * preprocessing.PreparedSize.Positions];
        preprocessing.Prepare(image, prepared);
        return prepared;
    }
}
