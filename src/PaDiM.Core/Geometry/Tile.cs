namespace PaDiM.Core.Geometry;

/// <summary>A square part of an area, and the positions of the area that belong to it.</summary>
/// <param name="Y">Its first row.</param>
/// <param name="X">Its first column.</param>
/// <param name="Top">The first row that belongs to it.</param>
/// <param name="Left">The first column that belongs to it.</param>
/// <param name="Bottom">The row behind the last one that belongs to it.</param>
/// <param name="Right">The column behind the last one that belongs to it.</param>
public readonly record struct Tile(int Y, int X, int Top, int Left, int Bottom, int Right)
{
    /// <summary>Gets the number of rows that belong to the tile.</summary>
    public int Height => Bottom - Top;

    /// <summary>Gets the number of columns that belong to the tile.</summary>
    public int Width => Right - Left;
}
