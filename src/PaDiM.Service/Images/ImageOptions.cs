using System.ComponentModel.DataAnnotations;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Service.Images;

/// <summary>Limits of the images that clients send.</summary>
internal sealed class ImageOptions
{
    /// <summary>
    /// Largest width times height of an image, read from its header or from the query of raw pixels.
    /// </summary>
    [Range(1024, int.MaxValue)]
    public long MaxPixels { get; set; } = ImageDecoder.DefaultMaxPixels;

    /// <summary>
    /// Time limit for decoding an image of up to 8 megapixels, in milliseconds; larger images get proportionally more.
    /// Stored images have no time limit.
    /// </summary>
    [Range(10, 600_000)]
    public int DecodeTimeoutMs { get; set; } = 2000;

    /// <summary>
    /// Largest encoded image, in bytes. Raw pixels are limited by <see cref="MaxPixels"/> only.
    /// </summary>
    [Range(1024, int.MaxValue / 2)]
    public int MaxImageBytes { get; set; } = 64 << 20;

    /// <summary>Largest request body of an upload of many images or of a model, in bytes.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxUploadBytes { get; set; } = 4L << 30;
}
