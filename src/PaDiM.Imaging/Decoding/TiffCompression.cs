namespace PaDiM.Imaging.Decoding;

/// <summary>Specifies how the strips and tiles of a TIFF are compressed; others are refused.</summary>
internal enum TiffCompression
{
    None = 1,
    FaxRows = 2,
    FaxGroup3 = 3,
    FaxGroup4 = 4,
    Lzw = 5,
    OldJpeg = 6,
    Jpeg = 7,
    Deflate = 8,
    PackBits = 32773,
    OldDeflate = 32946,
    WebP = 50001,
}
