using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Tests.Geometry;

public sealed class ImageFrameTests
{
    public static TheoryData<AspectMode> Aspects { get; } = new(Enum.GetValues<AspectMode>());

    [Theory]
    [MemberData(nameof(Aspects))]
    public void Every_point_of_the_original_comes_back_to_itself(AspectMode aspect)
    {
        foreach (var frame in Draw(aspect, 500))
        foreach (var axis in new[] { frame.Rows, frame.Columns })
            for (var share = 0.0; share <= 1; share += 0.125)
            {
                var original = axis.SourceStart + share * axis.SourceLength;
                var there = axis.ToImageSize(original);
                Assert.InRange(there, axis.TargetStart - 1e-9, axis.TargetStart + axis.TargetLength + 1e-9);
                Assert.Equal(original, axis.ToOriginal(there - axis.Margin), 1e-9 * (1 + original));
            }
    }

    [Theory]
    [MemberData(nameof(Aspects))]
    public void Source_target_and_content_lie_inside(AspectMode aspect)
    {
        foreach (var frame in Draw(aspect, 500))
        {
            CheckAxis(frame.Rows, frame.Original.Height, frame.ImageSize.Height, frame.Prepared.Height);
            CheckAxis(frame.Columns, frame.Original.Width, frame.ImageSize.Width, frame.Prepared.Width);
            // One side at least is used in full, whatever the aspect.
            Assert.Contains(
                [frame.Rows, frame.Columns],
                axis => axis.TargetLength == axis.ImageLength && axis.SourceStart == 0
            );
        }

        void CheckAxis(FrameAxis axis, int original, int imageLength, int prepared)
        {
            Assert.InRange(axis.SourceStart, 0, original);
            Assert.InRange(axis.SourceStart + axis.SourceLength, 0, original + 1e-9 * original);
            Assert.InRange(axis.TargetStart, 0, imageLength - 1);
            Assert.InRange(axis.TargetStart + axis.TargetLength, 1, imageLength);
            Assert.InRange(axis.ContentStart, 0, prepared - 1);
            Assert.InRange(axis.ContentStart + axis.ContentLength, axis.ContentStart + 1, prepared);
            // Centred, up to half a pixel.
            Assert.InRange(2 * axis.SourceStart + axis.SourceLength - original, -1e-9 * original, 1e-9 * original);
            Assert.InRange(2 * axis.TargetStart + axis.TargetLength - imageLength, -1, 0);
            if (aspect != AspectMode.Letterbox)
                Assert.Equal((0, imageLength), (axis.TargetStart, axis.TargetLength));
            if (aspect != AspectMode.Crop)
                Assert.Equal((0, original), (axis.SourceStart, axis.SourceLength));
        }
    }

    [Theory]
    [InlineData(AspectMode.Letterbox)]
    [InlineData(AspectMode.Crop)]
    public void Both_axes_have_one_scale(AspectMode aspect)
    {
        foreach (var frame in Draw(aspect, 500))
        {
            // The target has whole pixels: half of one is how far the scales may differ.
            var (rows, columns) = (frame.Rows, frame.Columns);
            var pixel = 0.5 / Math.Min(rows.TargetLength, columns.TargetLength);
            if (Math.Min(rows.TargetLength, columns.TargetLength) > 1)
                Assert.InRange(rows.Scale / columns.Scale, 1 / (1 + pixel) / (1 + pixel), (1 + pixel) / (1 - pixel));
        }
    }

    [Fact]
    public void An_original_of_the_same_shape_is_framed_alike_by_all_aspects()
    {
        foreach (
            var (factor, size) in new[] { (1, new Grid(256, 256)), (3, new Grid(96, 640)), (7, new Grid(500, 31)) }
        )
        {
            var original = new Grid(factor * size.Height, factor * size.Width);
            var frames = Enum.GetValues<AspectMode>()
                .Select(aspect => ImageFrame.Create(original, size, size, aspect))
                .Distinct();
            Assert.False(Assert.Single(frames).HasBorder);
        }
    }

    /// <summary>What a fit stores of an image, and what a model's self-test scores.</summary>
    [Theory]
    [MemberData(nameof(Aspects))]
    public void A_resized_image_is_framed_as_it_is(AspectMode aspect)
    {
        foreach (var frame in Draw(aspect, 500))
        {
            var again = ImageFrame.Create(frame.Target, frame.ImageSize, frame.Prepared, aspect);
            Assert.Equal(frame.Target, again.Target);
            Assert.Equal(1, again.Rows.Scale);
            Assert.Equal(1, again.Columns.Scale);
            Assert.Equal(
                (frame.Rows.TargetStart, frame.Columns.TargetStart),
                (again.Rows.TargetStart, again.Columns.TargetStart)
            );
        }
    }

    [Theory]
    [InlineData(2000, 80, 256, 256, 10, 256)]
    [InlineData(80, 2000, 256, 256, 256, 10)]
    [InlineData(640, 480, 512, 512, 384, 512)]
    [InlineData(640, 480, 640, 96, 96, 128)]
    [InlineData(5000, 1, 64, 64, 1, 64)]
    public void A_letterbox_shows_all_of_the_original(
        int width,
        int height,
        int imageWidth,
        int imageHeight,
        int shownHeight,
        int shownWidth
    )
    {
        var size = new Grid(imageHeight, imageWidth);
        var frame = ImageFrame.Create(new Grid(height, width), size, size, AspectMode.Letterbox);
        Assert.Equal(new Grid(shownHeight, shownWidth), frame.Content);
        Assert.True(frame.HasBorder);
    }

    [Theory]
    [InlineData(640, 480, 256, 256, 80, 0, 480, 480)]
    [InlineData(640, 480, 512, 128, 0, 160, 640, 160)]
    [InlineData(101, 100, 64, 64, 0.5, 0, 100, 100)]
    public void A_crop_shows_the_centre(
        int width,
        int height,
        int imageWidth,
        int imageHeight,
        double left,
        double top,
        double across,
        double down
    )
    {
        var size = new Grid(imageHeight, imageWidth);
        var frame = ImageFrame.Create(new Grid(height, width), size, size, AspectMode.Crop);
        Assert.Equal((left, across), (frame.Columns.SourceStart, frame.Columns.SourceLength));
        Assert.Equal((top, down), (frame.Rows.SourceStart, frame.Rows.SourceLength));
        Assert.False(frame.HasBorder);
    }

    /// <summary>A mask may not mark what no region covers, and a region may not lie beside what is marked.</summary>
    [Theory]
    [MemberData(nameof(Aspects))]
    public void Regions_masks_and_maps_agree_in_the_original(AspectMode aspect)
    {
        var random = new Random(5);
        foreach (var frame in Draw(aspect, 150))
        {
            var mapper = new OriginalMapper(frame);
            var values = new float[frame.Prepared.Positions];
            for (var i = 0; i < values.Length; i++)
                if (frame.IsContent(i / frame.Prepared.Width, i % frame.Prepared.Width))
                    values[i] = random.Next(20);
            var map = new AnomalyMap(frame.Prepared, values);
            const int threshold = 19;
            var (height, width) = (frame.Original.Height, frame.Original.Width);
            var mask = mapper.ToOriginalMask(map, threshold);
            var regions = RegionFinder.Find(map, threshold, contours: true).Select(mapper.ToOriginal).ToArray();
            var covered = new bool[height * width];
            foreach (var region in regions)
            {
                Assert.True(region is { X: >= 0, Y: >= 0, Width: > 0, Height: > 0 });
                Assert.True(region.X + region.Width <= width && region.Y + region.Height <= height);
                var marked = 0;
                for (var y = region.Y; y < region.Y + region.Height; y++)
                for (var x = region.X; x < region.X + region.Width; x++)
                {
                    covered[y * width + x] = true;
                    marked += mask[y * width + x] == 255 ? 1 : 0;
                }
                // Where originals are shrunk, each pixel of the map has pixels of the original below it.
                if (frame.Rows.Scale >= 1 && frame.Columns.Scale >= 1)
                    Assert.True(marked > 0);
                Assert.All(
                    region.Contour!,
                    corner =>
                    {
                        Assert.InRange(corner[0], region.X, region.X + region.Width);
                        Assert.InRange(corner[1], region.Y, region.Y + region.Height);
                    }
                );
            }
            for (var i = 0; i < mask.Length; i++)
                Assert.True(mask[i] == 0 || covered[i]);
            var drawn = mapper.ToOriginal(map);
            Assert.Equal(frame.Original, drawn.Grid);
            for (var i = 0; i < covered.Length; i++)
                if (IsCutOff(frame.Rows, i / width) || IsCutOff(frame.Columns, i % width))
                    Assert.Equal(0, drawn.Values[i]);
        }

        static bool IsCutOff(FrameAxis axis, int at) =>
            at + 0.5 < axis.SourceStart || at + 0.5 > axis.SourceStart + axis.SourceLength;
    }

    /// <summary>A map that is a slope in the original is the same slope when it is drawn there.</summary>
    [Theory]
    [MemberData(nameof(Aspects))]
    public void A_slope_stays_where_it_is(AspectMode aspect)
    {
        foreach (var frame in Draw(aspect, 150).Where(frame => frame.Prepared == frame.ImageSize))
        {
            var values = new float[frame.Prepared.Positions];
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)(
                    frame.Rows.ToOriginal(i / frame.Prepared.Width + 0.5)
                    + 3 * frame.Columns.ToOriginal(i % frame.Prepared.Width + 0.5)
                );
            var drawn = new OriginalMapper(frame).ToOriginal(new AnomalyMap(frame.Prepared, values));
            var (height, width) = (frame.Original.Height, frame.Original.Width);
            for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                // At the edge, interpolation has nothing to lean on.
                if (IsInner(frame.Rows, y) && IsInner(frame.Columns, x))
                    Assert.Equal(y + 0.5 + 3 * (x + 0.5), drawn.Values[y * width + x], 1e-3 * (height + 3 * width));
        }

        static bool IsInner(FrameAxis axis, int at) =>
            at + 0.5 >= axis.SourceStart + axis.Scale / 2
            && at + 0.5 <= axis.SourceStart + axis.SourceLength - axis.Scale / 2;
    }

    private static IEnumerable<ImageFrame> Draw(AspectMode aspect, int count)
    {
        var random = new Random(11);
        for (var i = 0; i < count; i++)
        {
            var original = new Grid(random.Next(1, 90), random.Next(1, 90));
            var size = new Grid(random.Next(32, 70), random.Next(32, 70));
            var crop = random.Next(32, Math.Min(size.Height, size.Width) + 1);
            yield return ImageFrame.Create(original, size, i % 3 == 0 ? new Grid(crop, crop) : size, aspect);
        }
    }
}
