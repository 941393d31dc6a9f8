namespace PaDiM.Core.Models;

/// <summary>Specifies at which size JPEGs are decoded, as part of a model's preprocessing.</summary>
public enum JpegDecoding
{
    /// <summary>At full size, as models were fitted before there was a choice.</summary>
    FullSize,

    /// <summary>
    /// At the smallest of 1/2, 1/4 and 1/8 that leaves both sides at least twice the image size: the decoder computes
    /// few pixels instead of many (DCT scaling), which the antialiased resize would average anyway.
    /// </summary>
    Scaled,
}
