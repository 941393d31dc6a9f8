using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>Maps what was found in the prepared image back to the pixels of the original. Immutable, thread-safe.</summary>
/// <param name="frame">How the original, or its region of interest, lies in the prepared image.</param>
/// <param name="region">How the region of interest lies in the original; null if the model sees all of it.</param>
public sealed class OriginalMapper(ImageFrame frame, RegionPlacement? region = null)
{
    private readonly RegionMapper? _region = region is null ? null : new RegionMapper(region);

    /// <summary>Gets how the original, or its region of interest, lies in the prepared image.</summary>
    public ImageFrame Frame { get; } = frame;

    /// <summary>Gets how the region of interest lies in the original; null if the model sees all of it.</summary>
    public RegionPlacement? Region { get; } = region;

    /// <summary>Converts a region of the prepared image to pixels of the original, rounded outwards.</summary>
    public AnomalyRegion ToOriginal(AnomalyRegion region) => _region?.ToImage(ToFrame(region)) ?? ToFrame(region);

    private AnomalyRegion ToFrame(AnomalyRegion region)
    {
        var (columns, rows) = (Frame.Columns, Frame.Rows);
        var left = (int)Math.Floor(columns.ToOriginal(region.X));
        var top = (int)Math.Floor(rows.ToOriginal(region.Y));
        var right = Math.Min(Frame.Original.Width, (int)Math.Ceiling(columns.ToOriginal(region.X + region.Width)));
        var bottom = Math.Min(Frame.Original.Height, (int)Math.Ceiling(rows.ToOriginal(region.Y + region.Height)));
        return new AnomalyRegion(
            left,
            top,
            right - left,
            bottom - top,
            Math.Max(1, (int)Math.Round(region.Area * columns.Scale * rows.Scale)),
            region.PeakScore,
            // Clamped, because rounding to float could leave the box.
            region
                .Contour?.Select(corner =>
                    new[]
                    {
                        Math.Clamp((float)columns.ToOriginal(corner[0]), left, right),
                        Math.Clamp((float)rows.ToOriginal(corner[1]), top, bottom),
                    }
                )
                .ToArray()
        );
    }

    /// <summary>
    /// Marks the pixels of the original that show a defect. The pixels of the map are enlarged without interpolation,
    /// so the mask has the area of the regions, no pixel outside their boxes, and none that is ignored. Where the
    /// original is smaller than the map, a pixel is marked if any pixel of the map below it is.
    /// </summary>
    /// <param name="map">A map of the prepared size.</param>
    /// <param name="threshold">Scores at or above it are marked.</param>
    /// <returns>255 for a defect, 0 elsewhere, shape <c>(height, width)</c> of the original.</returns>
    public byte[] ToOriginalMask(AnomalyMap map, double threshold)
    {
        var (height, width) = (Frame.Original.Height, Frame.Original.Width);
        var columns = FindPrepared(Frame.Columns, width);
        var rows = FindPrepared(Frame.Rows, height);
        var mask = new byte[width * height];
        for (var y = 0; y < height; y++)
        {
            var line = mask.AsSpan(y * width, width);
            if (y > 0 && rows[y] == rows[y - 1])
            {
                mask.AsSpan((y - 1) * width, width).CopyTo(line);
                continue;
            }
            for (var x = 0; x < width; x++)
            for (var row = rows[y].First; row < rows[y].End; row++)
            for (var column = columns[x].First; column < columns[x].End; column++)
                if (map.Values[row * map.Grid.Width + column] >= threshold)
                    line[x] = 255;
        }
        return _region?.ToImage(mask) ?? mask;
    }

    /// <summary>Upsamples a map of the prepared image to the original; what was cut off is 0.</summary>
    public AnomalyMap ToOriginal(AnomalyMap map)
    {
        var upsampled = PixelMapper
            .CreateUpsampling(
                Frame.Target,
                AxisOperator.CreateUpsampling(Frame.Rows, Frame.Original.Height),
                AxisOperator.CreateUpsampling(Frame.Columns, Frame.Original.Width)
            )
            .ToPixels(ToTarget(map));
        return _region?.ToImage(upsampled) ?? upsampled;
    }

    /// <summary>Gets the map over the resized original: without a border, and 0 where the centre crop cut it off.</summary>
    private AnomalyMap ToTarget(AnomalyMap map)
    {
        var target = Frame.Target;
        if (map.Grid == target)
            return map;
        var (rows, columns) = (Frame.Rows, Frame.Columns);
        var values = new float[target.Positions];
        for (var y = 0; y < rows.ContentLength; y++)
            map.Values.AsSpan((rows.ContentStart + y) * map.Grid.Width + columns.ContentStart, columns.ContentLength)
                .CopyTo(values.AsSpan((rows.TargetOffset + y) * target.Width + columns.TargetOffset));
        return new AnomalyMap(target, values);
    }

    private static (int First, int End)[] FindPrepared(FrameAxis axis, int length)
    {
        var found = new (int First, int End)[length];
        for (var i = 0; i < length; i++)
            found[i] = axis.FindPrepared(i);
        return found;
    }
}
