namespace PaDiM.Core.Geometry;

/// <summary>The shape of a map or an image, in rows and columns.</summary>
/// <param name="Height">Number of rows, at least 1.</param>
/// <param name="Width">Number of columns, at least 1.</param>
public readonly record struct Grid(int Height, int Width)
{
    /// <summary>
    /// Gets the number of positions, <c>Height * Width</c>; position <c>p</c> is row <c>p / Width</c>, column
    /// <c>p % Width</c>.
    /// </summary>
    public int Positions => Height * Width;
}
