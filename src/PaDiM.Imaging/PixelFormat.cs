using System.Text.Json.Serialization;

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

    /// <summary>Two bytes per pixel, low byte first, of which 10 bits count (Mono10 of GenICam).</summary>
    Gray10,

    /// <summary>Two bytes per pixel, low byte first, of which 12 bits count (Mono12 of GenICam).</summary>
    Gray12,

    /// <summary>Four pixels in five bytes, lowest bit first (Mono10p of GenICam).</summary>
    Gray10p,

    /// <summary>Two pixels in three bytes, lowest bit first (Mono12p of GenICam).</summary>
    Gray12p,

    /// <summary>One byte per pixel behind colour filters; the first row begins with red, green.</summary>
    [JsonStringEnumMemberName("bayer_rg8")]
    BayerRg8,

    /// <summary>One byte per pixel behind colour filters; the first row begins with green, red.</summary>
    [JsonStringEnumMemberName("bayer_gr8")]
    BayerGr8,

    /// <summary>One byte per pixel behind colour filters; the first row begins with green, blue.</summary>
    [JsonStringEnumMemberName("bayer_gb8")]
    BayerGb8,

    /// <summary>One byte per pixel behind colour filters; the first row begins with blue, green.</summary>
    [JsonStringEnumMemberName("bayer_bg8")]
    BayerBg8,
}
