namespace PaDiM.Core.Geometry;

/// <summary>
/// How a region lies in one image: upright where its settings say or, where the part was found elsewhere, moved and
/// turned with it.
/// </summary>
/// <param name="Image">Rows and columns of the upright image.</param>
/// <param name="Size">Rows and columns of the region.</param>
/// <param name="ToImage">From pixels of the region to pixels of the image.</param>
public sealed record RegionPlacement(Grid Image, Grid Size, AffineMap ToImage)
{
    /// <summary>Gets whether the region is a box of whole pixels of the image.</summary>
    public bool IsUpright { get; private init; }

    /// <summary>Gets the corners of the region in pixels of the image, clockwise from its upper left one.</summary>
    public IReadOnlyList<(double X, double Y)> Corners =>
        [
            ToImage.Map(0, 0),
            ToImage.Map(Size.Width, 0),
            ToImage.Map(Size.Width, Size.Height),
            ToImage.Map(0, Size.Height),
        ];

    /// <summary>Creates the placement of a region where its settings say.</summary>
    public static RegionPlacement CreateUpright(Grid image, PixelBox box) =>
        new(image, box.Size, AffineMap.Create(1, 1, box.X, box.Y)) { IsUpright = true };

    /// <summary>
    /// Gets the smallest box of whole pixels of the image around a box of the region. What lies outside of the image is
    /// cut off; at least one pixel is left.
    /// </summary>
    public PixelBox FindBox(double left, double top, double right, double bottom)
    {
        var corners = new[]
        {
            ToImage.Map(left, top),
            ToImage.Map(right, top),
            ToImage.Map(right, bottom),
            ToImage.Map(left, bottom),
        };
        var (x, width) = FindRun(corners.Min(corner => corner.X), corners.Max(corner => corner.X), Image.Width);
        var (y, height) = FindRun(corners.Min(corner => corner.Y), corners.Max(corner => corner.Y), Image.Height);
        return new PixelBox(x, y, width, height);
    }

    /// <summary>Gets the smallest box of whole pixels of the image around the region.</summary>
    public PixelBox FindBox() => FindBox(0, 0, Size.Width, Size.Height);

    private static (int Start, int Length) FindRun(double from, double to, int length)
    {
        var start = (int)Math.Clamp(Math.Floor(from), 0, length - 1);
        return (start, (int)Math.Clamp(Math.Ceiling(to), start + 1, length) - start);
    }
}
