namespace PaDiM.Imaging;

/// <summary>Specifies how the samples of raw pixels are stored.</summary>
public enum PixelFormat
{
    /// <summary>Three bytes per pixel, red first.</summary>
    Rgb24,

    /// <summary>Three bytes per pixel, blue first.</summary>
    Bgr24,

    /// <summary>One byte per pixel.</summary>
    Gray8,

    /// <summary>Two bytes per pixel, low byte first; scaled to 8 bits as the decoder scales 16-bit images.</summary>
    Gray16,
}
