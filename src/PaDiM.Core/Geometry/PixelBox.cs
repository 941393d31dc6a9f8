namespace PaDiM.Core.Geometry;

/// <summary>A box of whole pixels.</summary>
/// <param name="X">The first column.</param>
/// <param name="Y">The first row.</param>
/// <param name="Width">Number of columns.</param>
/// <param name="Height">Number of rows.</param>
public readonly record struct PixelBox(int X, int Y, int Width, int Height)
{
    /// <summary>Gets the number of rows and columns.</summary>
    public Grid Size => new(Height, Width);
}
