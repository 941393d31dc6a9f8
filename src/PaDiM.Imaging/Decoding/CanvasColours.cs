namespace PaDiM.Imaging.Decoding;

/// <summary>Specifies what the samples of a canvas are.</summary>
internal enum CanvasColours
{
    Grey,
    Rgb,

    /// <summary>Cyan, magenta, yellow and black.</summary>
    Inks,

    /// <summary>L*a*b*, with a* and b* shifted by 128.</summary>
    Lab,
}
