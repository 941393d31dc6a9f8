using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Imaging.Tests.Preprocessing;

/// <summary>Tiles are cut from what <see cref="Preprocessor"/> prepares at once.</summary>
public sealed class TileReaderTests
{
    [Theory]
    [InlineData(96, 32, 0, false)]
    [InlineData(96, 40, 16, false)]
    [InlineData(64, 64, 0, false)]
    [InlineData(96, 48, 24, true)]
    public void A_tile_is_the_part_of_the_whole_image(int side, int size, int overlap, bool aligned)
    {
        var settings = new FitSettings { ImageSize = side, Tiles = new TileSettings(size, overlap) };
        var template = aligned ? Enumerable.Range(0, side * side).Select(i => (i * 37 + i / side * 11) % 251f) : null;
        var preprocessing = new Preprocessor(settings, Normalisation.ImageNet, template?.ToArray());
        var image = CreateImage(150, 131);
        var frame = preprocessing.CreateFrame(new Grid(131, 150));
        var whole = new float[3 * side * side];
        var placement = preprocessing.Prepare(image, frame, whole, out var traits);
        var tiles = settings.CreateTiles()!;
        using var reader = preprocessing.ReadTiles(image, frame, tiles, measures: true);
        Assert.Equal(placement, reader.Placement);
        var prepared = new float[3 * size * size];
        for (var i = 0; i < tiles.Count; i++)
        {
            reader.Read(i, prepared);
            for (var channel = 0; channel < 3; channel++)
            for (var y = 0; y < size; y++)
                Assert.Equal(
                    whole.AsSpan(channel * side * side + (tiles[i].Y + y) * side + tiles[i].X, size),
                    prepared.AsSpan(channel * size * size + y * size, size)
                );
        }
        Assert.Equal(traits, reader.Measure());
    }

    [Theory]
    [InlineData(AspectMode.Letterbox, 96, 64)]
    [InlineData(AspectMode.Letterbox, 64, 128)]
    [InlineData(AspectMode.Crop, 96, 64)]
    [InlineData(AspectMode.Stretch, 64, 96)]
    public void A_tile_may_show_a_border_of_the_image(AspectMode aspect, int width, int height)
    {
        var settings = new FitSettings
        {
            ImageWidth = width,
            ImageHeight = height,
            Aspect = aspect,
            Tiles = new TileSettings(32, 8),
        };
        var preprocessing = new Preprocessor(settings, Normalisation.ImageNet);
        var image = CreateImage(150, 131);
        var frame = preprocessing.CreateFrame(new Grid(131, 150));
        var whole = new float[3 * width * height];
        preprocessing.Prepare(image, frame, whole, out var traits);
        var shrunk = new RgbImage(frame.Target.Width, frame.Target.Height, new byte[3 * frame.Target.Positions]);
        var tiles = settings.CreateTiles()!;
        using var reader = new TileReader(preprocessing, image, frame, tiles, measures: true, shrunk);
        var prepared = new float[3 * 32 * 32];
        for (var i = 0; i < tiles.Count; i++)
        {
            reader.Read(i, prepared);
            for (var y = 0; y < 32; y++)
                Assert.Equal(whole.AsSpan((tiles[i].Y + y) * width + tiles[i].X, 32), prepared.AsSpan(y * 32, 32));
        }
        Assert.Equal(traits, reader.Measure());
        Assert.Equal(Preprocessor.Shrink(image, frame).Pixels, shrunk.Pixels);
    }

    [Fact]
    public void The_image_is_shrunk_on_the_way()
    {
        var settings = new FitSettings { ImageSize = 64, Tiles = new TileSettings(32, 0) };
        var preprocessing = new Preprocessor(settings, Normalisation.ImageNet);
        var image = CreateImage(150, 131);
        var frame = preprocessing.CreateFrame(new Grid(131, 150));
        var shrunk = new RgbImage(64, 64, new byte[3 * 64 * 64]);
        using var reader = new TileReader(
            preprocessing,
            image,
            frame,
            settings.CreateTiles()!,
            measures: false,
            shrunk
        );
        for (var i = 0; i < 4; i++)
            reader.Read(i, new float[3 * 32 * 32]);
        Assert.Equal(Preprocessor.Shrink(image, frame).Pixels, shrunk.Pixels);
    }

    [Fact]
    public void An_image_is_not_measured_before_its_last_tile()
    {
        var settings = new FitSettings { ImageSize = 64, Tiles = new TileSettings(32, 0) };
        var preprocessing = new Preprocessor(settings, Normalisation.ImageNet);
        using var reader = preprocessing.ReadTiles(
            CreateImage(80, 80),
            preprocessing.CreateFrame(new Grid(80, 80)),
            settings.CreateTiles()!,
            measures: true
        );
        reader.Read(0, new float[3 * 32 * 32]);
        Assert.Throws<InvalidOperationException>(() => reader.Measure());
    }

    private static RgbImage CreateImage(int width, int height)
    {
        var random = new Random(3);
        var pixels = new byte[3 * width * height];
        random.NextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }
}
