namespace PaDiM.Imaging.Decoding;

/// <summary>Specifies what the samples of a TIFF mean.</summary>
internal enum TiffPhotometric
{
    WhiteIsZero = 0,
    BlackIsZero = 1,
    Rgb = 2,
    Palette = 3,
    Mask = 4,
    Separated = 5,
    YCbCr = 6,
    CieLab = 8,
    IccLab = 9,

    /// <summary>The colour filters of a raw photograph: refused.</summary>
    Mosaic = 32803,

    /// <summary>A raw photograph without them: refused.</summary>
    Raw = 34892,
}
