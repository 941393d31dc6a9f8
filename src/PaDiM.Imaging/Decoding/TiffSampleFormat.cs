namespace PaDiM.Imaging.Decoding;

/// <summary>Specifies the kind of number that a sample of a TIFF is.</summary>
internal enum TiffSampleFormat
{
    Unsigned = 1,
    Signed = 2,
    Float = 3,
    Undefined = 4,
}
