using PaDiM.Core.Geometry;
using PaDiM.Core.Models;

namespace PaDiM.Imaging.Decoding;

/// <summary>Reads masks from images: white marks a pixel, black does not.</summary>
public static class MaskImage
{
    /// <summary>
    /// A channel above this value marks a pixel: masks may be painted in any colour, and a mask saved as JPEG is not
    /// quite black.
    /// </summary>
    private const byte Threshold = 127;

    /// <summary>Gets the marks of all pixels.</summary>
    /// <param name="mask">The mask.</param>
    /// <returns>Shape <c>(mask.Height, mask.Width)</c>.</returns>
    public static bool[] GetMarks(RgbImage mask)
    {
        var marks = new bool[mask.Width * mask.Height];
        for (var i = 0; i < marks.Length; i++)
            marks[i] = IsMarked(mask, i);
        return marks;
    }

    /// <summary>Gets the marks as they lie in the image at the image size, from the nearest pixel.</summary>
    /// <param name="mask">The mask, of the whole image.</param>
    /// <param name="settings">The settings of the model.</param>
    /// <returns>Shape <c>(height, width)</c> of the image size; a border has no marks.</returns>
    public static bool[] GetMarks(RgbImage mask, FitSettings settings)
    {
        var whole = new Grid(mask.Height, mask.Width);
        var box = settings.Region?.ToPixels(whole) ?? new PixelBox(0, 0, mask.Width, mask.Height);
        var frame = settings.CreateFrame(box.Size);
        var size = frame.ImageSize;
        var marks = new bool[size.Positions];
        var columns = Array.ConvertAll([.. Enumerable.Range(0, size.Width)], x => FindNearest(frame.Columns, x));
        for (var y = 0; y < size.Height; y++)
            if (FindNearest(frame.Rows, y) is { } row)
                for (var x = 0; x < size.Width; x++)
                    if (columns[x] is { } column)
                        marks[y * size.Width + x] = IsMarked(mask, (box.Y + row) * mask.Width + box.X + column);
        return marks;
    }

    /// <summary>Finds the pixel of the mask below one at the image size; null in a border.</summary>
    private static int? FindNearest(FrameAxis axis, int at)
    {
        var inside = at - axis.TargetStart;
        return inside >= 0 && inside < axis.TargetLength
            ? (int)(axis.SourceStart + (inside + 0.5) * axis.SourceLength / axis.TargetLength)
            : null;
    }

    private static bool IsMarked(RgbImage mask, int pixel) =>
        mask.Pixels.AsSpan(3 * pixel, 3).ContainsAnyInRange((byte)(Threshold + 1), byte.MaxValue);
}
