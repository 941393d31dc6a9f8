namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Converts luma and chroma of a TIFF that is not compressed as JPEG: blocks of a few samples of luma, each block with
/// one pair of chroma.
/// </summary>
internal sealed class TiffYCbCr
{
    private readonly int _width,
        _across,
        _down;

    private readonly double _red,
        _green,
        _blue;

    private readonly double[] _range;

    /// <summary>Reads the tags.</summary>
    /// <exception cref="InvalidDataException">A tag is damaged.</exception>
    public TiffYCbCr(TiffBytes file, TiffPage page)
    {
        var subsampling = page.Directory.GetNumbers(file, TiffTag.YCbCrSubsampling);
        (_across, _down) = subsampling switch
        {
            [] => (2, 2),
            [1 or 2 or 4, 1 or 2 or 4] => ((int)subsampling[0], (int)subsampling[1]),
            _ => throw new InvalidDataException("its subsampling is invalid"),
        };
        var luma = page.Directory.GetReals(file, TiffTag.YCbCrCoefficients);
        (_red, _green, _blue) = luma is [var red, > 0 and var green, var blue]
            ? (red, green, blue)
            : (0.299, 0.587, 0.114);
        _range =
            page.Directory.GetReals(file, TiffTag.ReferenceBlackWhite) is { Length: 6 } range
            && range[1] > range[0]
            && range[3] > range[2]
            && range[5] > range[4]
                ? range
                : [0, 255, 128, 255, 128, 255];
        _width = page.ChunkWidth;
    }

    /// <summary>Gets the bytes of a strip or tile.</summary>
    public long GetLength(int rows) => (long)BlocksAcross * ((rows + _down - 1) / _down) * BlockLength;

    private int BlocksAcross => (_width + _across - 1) / _across;

    private int BlockLength => _across * _down + 2;

    /// <summary>Converts a strip or tile to red, green and blue.</summary>
    public byte[] ToRgb(ReadOnlySpan<byte> samples, int rows)
    {
        var rgb = new byte[3 * _width * rows];
        for (var y = 0; y < rows; y++)
        for (var x = 0; x < _width; x++)
        {
            var block = samples.Slice((y / _down * BlocksAcross + x / _across) * BlockLength, BlockLength);
            var luma = Scale(block[y % _down * _across + x % _across], 0, 255);
            var cb = Scale(block[^2], 2, 127);
            var cr = Scale(block[^1], 4, 127);
            var red = luma + cr * (2 - 2 * _red);
            var blue = luma + cb * (2 - 2 * _blue);
            var at = 3 * (y * _width + x);
            rgb[at] = Clamp(red);
            rgb[at + 1] = Clamp((luma - _red * red - _blue * blue) / _green);
            rgb[at + 2] = Clamp(blue);
        }
        return rgb;
    }

    private double Scale(byte sample, int index, double range) =>
        (sample - _range[index]) * range / (_range[index + 1] - _range[index]);

    private static byte Clamp(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);
}
