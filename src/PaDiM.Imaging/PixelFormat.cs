namespace PaDiM.Imaging;

/// <summary>How the samples of an image that is not encoded lie in memory.</summary>
public enum PixelFormat
{
    /// <summary>Three bytes a pixel, red first.</summary>
    Rgb24,

    /// <summary>Three bytes a pixel, blue first.</summary>
    Bgr24,

    /// <summary>One byte a pixel.</summary>
    Gray8,

    /// <summary>Two bytes a pixel, the low one first; scaled to 8 bits as the decoder does with 16.</summary>
    Gray16,
}
