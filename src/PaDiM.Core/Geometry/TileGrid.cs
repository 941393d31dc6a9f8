namespace PaDiM.Core.Geometry;

/// <summary>
/// The square tiles that cover an area and overlap: each starts <c>size - overlap</c> after the one before it, and the
/// last of a row or column is moved to end at the border. Every position belongs to one tile, the one whose centre is
/// nearest, so that what a convolution pads at the edges of a tile is cut off wherever tiles overlap. The unit is that
/// of the area: pixels, or patch positions. Immutable.
/// </summary>
public sealed class TileGrid
{
    private readonly (int Start, int First, int End)[] _rows,
        _columns;
    private readonly int _overlap;

    /// <summary>Covers an area.</summary>
    /// <param name="area">Rows and columns.</param>
    /// <param name="size">Side of a tile, at most the shorter side of the area.</param>
    /// <param name="overlap">How far a tile reaches into the next one, 0 to less than its side.</param>
    /// <exception cref="ArgumentOutOfRangeException">A tile does not fit the area, or the overlap does not fit a
    /// tile.</exception>
    public TileGrid(Grid area, int size, int overlap)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Math.Min(area.Height, area.Width));
        ArgumentOutOfRangeException.ThrowIfNegative(overlap);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(overlap, size);
        Area = area;
        Size = size;
        _overlap = overlap;
        _rows = Cut(area.Height, size, overlap);
        _columns = Cut(area.Width, size, overlap);
    }

    /// <summary>Gets the rows and columns of the area.</summary>
    public Grid Area { get; }

    /// <summary>Gets the side of a tile.</summary>
    public int Size { get; }

    /// <summary>Gets the number of tiles down and across.</summary>
    public Grid Shape => new(_rows.Length, _columns.Length);

    /// <summary>Gets the number of tiles.</summary>
    public int Count => _rows.Length * _columns.Length;

    /// <summary>Gets a tile; tiles count row by row.</summary>
    public Tile this[int index]
    {
        get
        {
            var row = _rows[index / _columns.Length];
            var column = _columns[index % _columns.Length];
            return new Tile(row.Start, column.Start, row.First, column.First, row.End, column.End);
        }
    }

    /// <summary>Counts the tiles that a grid would have.</summary>
    public static long CountTiles(Grid area, int size, int overlap) =>
        (long)CountAlong(area.Height, size, overlap) * CountAlong(area.Width, size, overlap);

    /// <summary>
    /// Gets the same tiles in a unit that is larger by a factor, of which the sides of area, tiles and overlap are
    /// multiples.
    /// </summary>
    public TileGrid Divide(int factor) =>
        new(new Grid(Area.Height / factor, Area.Width / factor), Size / factor, _overlap / factor);

    private static int CountAlong(int length, int size, int overlap) =>
        1 + (length - size + size - overlap - 1) / (size - overlap);

    /// <summary>Gets the start of each tile along an axis, and the positions that belong to it.</summary>
    private static (int Start, int First, int End)[] Cut(int length, int size, int overlap)
    {
        var cuts = new (int Start, int First, int End)[CountAlong(length, size, overlap)];
        for (var i = 0; i < cuts.Length; i++)
        {
            cuts[i].Start = Math.Min(i * (size - overlap), length - size);
            // The middle between the centres of this tile and of the one before it.
            cuts[i].First = i == 0 ? 0 : (cuts[i - 1].Start + cuts[i].Start + size) / 2;
            cuts[i].End = length;
            if (i > 0)
                cuts[i - 1].End = cuts[i].First;
        }
        return cuts;
    }
}
