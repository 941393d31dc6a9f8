using PaDiM.Core.Geometry;

namespace PaDiM.Imaging.Decoding;

/// <summary>Reads masks from images: white marks a pixel, black does not.</summary>
public static class MaskImage
{
    /// <summary>
    /// A channel above this value marks a pixel: masks may be painted in any colour, and a mask saved as JPEG is not
    /// quite black.
    /// </summary>
    private const byte Threshold = 127;

    /// <summary>Gets the marks at any size, from the nearest pixel.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="size">Rows and columns of the result; pass the size of the mask for its pixels as they are.</param>
    /// <returns>Shape <c>(size.Height, size.Width)</c>.</returns>
    public static bool[] GetMarks(RgbImage mask, Grid size)
    {
        var marks = new bool[size.Positions];
        for (var y = 0; y < size.Height; y++)
        {
            var row = (int)((y + 0.5) * mask.Height / size.Height) * mask.Width;
            for (var x = 0; x < size.Width; x++)
                marks[y * size.Width + x] = mask
                    .Pixels.AsSpan(3 * (row + (int)((x + 0.5) * mask.Width / size.Width)), 3)
                    .ContainsAnyInRange((byte)(Threshold + 1), byte.MaxValue);
        }
        return marks;
    }
}
