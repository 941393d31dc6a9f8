namespace PaDiM.Imaging;

/// <summary>
/// Interpolates the two colours that each pixel of a mosaic of colour filters lacks, with the filters of 5 x 5 pixels
/// of H. S. Malvar, L. He and R. Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned color
/// images", ICASSP 2004. Pixels beyond the border are mirrored, which keeps the order of the filters.
/// </summary>
internal static class BayerMosaic
{
    /// <summary>Pixels that a filter needs on each side.</summary>
    private const int Reach = 2;

    /// <summary>Interpolates an image of at least 2 x 2 pixels.</summary>
    /// <param name="mosaic">A byte for each pixel.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="format">The order of the filters.</param>
    /// <returns>Shape <c>(height, width, 3)</c>, red first.</returns>
    public static byte[] ToRgb(ReadOnlySpan<byte> mosaic, int width, int height, PixelFormat format)
    {
        var (redX, redY) = format switch
        {
            PixelFormat.BayerRg8 => (0, 0),
            PixelFormat.BayerGr8 => (1, 0),
            PixelFormat.BayerGb8 => (0, 1),
            PixelFormat.BayerBg8 => (1, 1),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
        var rgb = GC.AllocateUninitializedArray<byte>(checked(3 * width * height));
        var rows = new byte[2 * Reach + 1][];
        for (var i = 0; i < rows.Length; i++)
            Extend(mosaic, width, height, i - Reach, rows[i] = new byte[width + 2 * Reach]);
        for (var y = 0; y < height; y++)
        {
            Interpolate(rows, rgb.AsSpan(3 * y * width, 3 * width), redX, y % 2 == redY);
            var freed = rows[0];
            Array.Copy(rows, 1, rows, 0, rows.Length - 1);
            rows[^1] = freed;
            Extend(mosaic, width, height, y + Reach + 1, freed);
        }
        return rgb;
    }

    /// <summary>Copies a row with the pixels that lie beyond its ends.</summary>
    private static void Extend(ReadOnlySpan<byte> mosaic, int width, int height, int y, Span<byte> row)
    {
        var stored = mosaic.Slice(Mirror(y, height) * width, width);
        stored.CopyTo(row[Reach..]);
        for (var i = 1; i <= Reach; i++)
        {
            row[Reach - i] = stored[Mirror(-i, width)];
            row[Reach + width - 1 + i] = stored[Mirror(width - 1 + i, width)];
        }
    }

    /// <summary>Mirrors an index at the first and at the last pixel, which are not repeated.</summary>
    private static int Mirror(int index, int count)
    {
        var period = 2 * (count - 1);
        var at = Math.Abs(index) % period;
        return at < count ? at : period - at;
    }

    /// <summary>Interpolates a row, in sixteenths.</summary>
    private static void Interpolate(byte[][] rows, Span<byte> rgb, int redX, bool hasRed)
    {
        byte[] second = rows[0],
            above = rows[1],
            row = rows[2],
            below = rows[3],
            last = rows[4];
        for (int x = Reach, to = 0; to < rgb.Length; x++, to += 3)
        {
            var own = row[x];
            var sides = row[x - 1] + row[x + 1];
            var farSides = row[x - 2] + row[x + 2];
            var ends = above[x] + below[x];
            var farEnds = second[x] + last[x];
            var corners = above[x - 1] + above[x + 1] + below[x - 1] + below[x + 1];
            if (hasRed == (x % 2 == redX))
            {
                var other = Round(12 * own + 4 * corners - 3 * (farSides + farEnds));
                rgb[to] = hasRed ? own : other;
                rgb[to + 1] = Round(8 * own + 4 * (sides + ends) - 2 * (farSides + farEnds));
                rgb[to + 2] = hasRed ? other : own;
            }
            else
            {
                var ofRow = Round(10 * own + 8 * sides - 2 * (farSides + corners) + farEnds);
                var ofColumn = Round(10 * own + 8 * ends - 2 * (farEnds + corners) + farSides);
                rgb[to] = hasRed ? ofRow : ofColumn;
                rgb[to + 1] = own;
                rgb[to + 2] = hasRed ? ofColumn : ofRow;
            }
        }
    }

    private static byte Round(int sixteenths) => (byte)Math.Clamp((sixteenths + 8) >> 4, 0, byte.MaxValue);
}
