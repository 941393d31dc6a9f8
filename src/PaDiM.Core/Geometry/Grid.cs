namespace PaDiM.Core.Geometry;

/// <summary>The shape of a map of patch positions, in rows and columns.</summary>
/// <param name="Height">Rows, at least 1.</param>
/// <param name="Width">Columns, at least 1.</param>
public readonly record struct Grid(int Height, int Width)
{
    /// <summary>
    /// Number of positions, <c>Height * Width</c>; position <c>p</c> is row <c>p / Width</c>, column <c>p % Width</c>.
    /// </summary>
    public int Positions => Height * Width;
}
