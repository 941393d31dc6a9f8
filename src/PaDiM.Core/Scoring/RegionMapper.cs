using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>Maps what was found in a region of an image to the pixels of the image. Immutable, thread-safe.</summary>
/// <param name="placement">How the region lies in the image.</param>
public sealed class RegionMapper(RegionPlacement placement)
{
    private readonly AffineMap _toRegion = placement.ToImage.Inverse();

    /// <summary>
    /// Moves an area from pixels of the region to pixels of the image. Around an area that is turned there is the
    /// smallest upright box.
    /// </summary>
    public AnomalyRegion ToImage(AnomalyRegion area)
    {
        var box = placement.FindBox(area.X, area.Y, area.X + area.Width, area.Y + area.Height);
        return new AnomalyRegion(
            box.X,
            box.Y,
            box.Width,
            box.Height,
            Math.Min(area.Area, box.Width * box.Height),
            area.PeakScore,
            area.Contour?.Select(corner => ToImage(corner, box)).ToArray()
        );
    }

    /// <summary>Moves a mask of the region into one of the image.</summary>
    /// <param name="mask">255 for a defect, 0 elsewhere, shape of the region.</param>
    public byte[] ToImage(byte[] mask)
    {
        var moved = new byte[placement.Image.Positions];
        foreach (var (target, x, y) in GetPixels())
            moved[target] = mask[(int)y * placement.Size.Width + (int)x];
        return moved;
    }

    /// <summary>Moves a map of the region into one of the image, which is 0 elsewhere.</summary>
    /// <param name="map">A map of the region's size.</param>
    public AnomalyMap ToImage(AnomalyMap map)
    {
        var moved = new float[placement.Image.Positions];
        foreach (var (target, x, y) in GetPixels())
            moved[target] = placement.IsUpright
                ? map.Values[(int)y * map.Grid.Width + (int)x]
                : Bilinear.Sample(map.Values, x - 0.5, y - 0.5, map.Grid);
        return new AnomalyMap(placement.Image, moved);
    }

    /// <summary>Marks the pixels of the image outside of the region, and those within that are marked.</summary>
    /// <param name="isMarked">Gets whether a point of the region is marked.</param>
    public bool[] MarkOutside(Func<double, double, bool> isMarked)
    {
        var marks = new bool[placement.Image.Positions];
        Array.Fill(marks, true);
        foreach (var (target, x, y) in GetPixels())
            marks[target] = isMarked(x, y);
        return marks;
    }

    /// <summary>Gets the pixels of the image whose centre is in the region: their index, and their centre there.</summary>
    private IEnumerable<(int Index, double X, double Y)> GetPixels()
    {
        var box = placement.FindBox();
        for (var y = box.Y; y < box.Y + box.Height; y++)
        for (var x = box.X; x < box.X + box.Width; x++)
        {
            var (column, row) = _toRegion.Map(x + 0.5, y + 0.5);
            if (column >= 0 && column < placement.Size.Width && row >= 0 && row < placement.Size.Height)
                yield return (y * placement.Image.Width + x, column, row);
        }
    }

    private float[] ToImage(float[] corner, PixelBox box)
    {
        var (x, y) = placement.ToImage.Map(corner[0], corner[1]);
        // Clamped, because what lies outside of the image is cut off, and rounding to float could leave the box.
        return [Math.Clamp((float)x, box.X, box.X + box.Width), Math.Clamp((float)y, box.Y, box.Y + box.Height)];
    }
}
