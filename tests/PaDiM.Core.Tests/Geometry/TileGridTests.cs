using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Geometry;

public sealed class TileGridTests
{
    [Theory]
    [InlineData(64, 64, 16, 0)]
    [InlineData(64, 96, 16, 4)]
    [InlineData(50, 70, 16, 8)]
    [InlineData(17, 40, 16, 5)]
    [InlineData(16, 16, 16, 8)]
    [InlineData(31, 33, 7, 6)]
    public void Every_position_belongs_to_the_tile_whose_centre_is_nearest(int height, int width, int size, int overlap)
    {
        var tiles = new TileGrid(new Grid(height, width), size, overlap);
        var owners = new int[height, width];
        for (var i = 0; i < tiles.Count; i++)
        {
            var tile = tiles[i];
            Assert.InRange(tile.Top, tile.Y, tile.Bottom);
            Assert.InRange(tile.Left, tile.X, tile.Right);
            Assert.True(tile.Bottom <= tile.Y + size && tile.Right <= tile.X + size);
            Assert.InRange(tile.Y + size, size, height);
            Assert.InRange(tile.X + size, size, width);
            for (var y = tile.Top; y < tile.Bottom; y++)
            for (var x = tile.Left; x < tile.Right; x++)
            {
                owners[y, x]++;
                var nearest = Enumerable.Range(0, tiles.Count).Min(other => Distance(tiles[other], y, x));
                Assert.True(Distance(tile, y, x) <= nearest);
            }
        }
        Assert.All(owners.Cast<int>(), count => Assert.Equal(1, count));

        double Distance(Tile tile, int y, int x) =>
            Math.Abs(tile.Y + size / 2.0 - y - 0.5) + Math.Abs(tile.X + size / 2.0 - x - 0.5);
    }

    [Fact]
    public void Tiles_start_at_equal_distances_and_the_last_ends_at_the_border()
    {
        var tiles = new TileGrid(new Grid(64, 100), 32, 8);
        Assert.Equal(new Grid(3, 4), tiles.Shape);
        Assert.Equal([0, 24, 48, 68], Enumerable.Range(0, 4).Select(i => tiles[i].X));
        Assert.Equal([0, 24, 32], Enumerable.Range(0, 3).Select(i => tiles[4 * i].Y));
        Assert.Equal(tiles.Count, TileGrid.CountTiles(tiles.Area, 32, 8));
    }

    [Fact]
    public void The_tiles_of_patch_positions_are_those_of_the_pixels()
    {
        var pixels = new TileGrid(new Grid(256, 320), 96, 32);
        var patches = pixels.Divide(4);
        Assert.Equal(new Grid(64, 80), patches.Area);
        Assert.Equal(pixels.Count, patches.Count);
        for (var i = 0; i < pixels.Count; i++)
            Assert.Equal((pixels[i].Y, pixels[i].X), (4 * patches[i].Y, 4 * patches[i].X));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(33, 0)]
    [InlineData(16, -1)]
    [InlineData(16, 16)]
    public void Tiles_that_do_not_fit_are_refused(int size, int overlap) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TileGrid(new Grid(32, 40), size, overlap));
}
