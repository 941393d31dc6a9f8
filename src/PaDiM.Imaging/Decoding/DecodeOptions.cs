using PaDiM.Core.Models;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Says how a file becomes pixels. It is part of a model's preprocessing: fit, score and evaluation of a model all
/// decode with the options of its settings.
/// </summary>
public sealed record DecodeOptions
{
    /// <summary>
    /// Twice the image size: the resize that follows still averages at least two pixels in each direction, so that it
    /// decides what the prepared image looks like, and not the decoder.
    /// </summary>
    private const int Oversampling = 2;

    /// <summary>Gets the options for everything that is not scored: masks, uploads, pictures to look at.</summary>
    public static DecodeOptions Default { get; } = new();

    /// <summary>
    /// Gets the sides, in pixels, that a JPEG may be scaled down to while it is decoded: it gets the smallest of 1/2,
    /// 1/4 and 1/8 that leaves both at least this long. Null for full size.
    /// </summary>
    public int? MinimumSide { get; init; }

    /// <summary>Gets the options that a model's settings ask for.</summary>
    /// <param name="settings">The settings of the model.</param>
    public static DecodeOptions For(FitSettings settings) =>
        settings.JpegDecoding == JpegDecoding.Scaled
            ? new DecodeOptions { MinimumSide = Oversampling * settings.ImageSize }
            : Default;
}
