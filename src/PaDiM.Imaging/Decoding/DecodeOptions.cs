using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;
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

    /// <summary>Gets the options for what no model prepares: all pixels, as the file states them.</summary>
    public static DecodeOptions Default { get; } = new();

    /// <summary>Gets the options for masks: of samples of more than 8 bits, all but 0 are white.</summary>
    public static DecodeOptions Mask { get; } = new() { IsMask = true };

    /// <summary>
    /// Gets the size that a JPEG may be scaled down to while it is decoded: it gets the smallest of 1/2, 1/4 and 1/8
    /// that leaves it at least this large. Null for full size.
    /// </summary>
    public MinimumSize? MinimumSize { get; init; }

    /// <summary>
    /// Gets the bits that count in samples of more than 8 bits; null for those that the file states, else all.
    /// </summary>
    public int? SignificantBits { get; init; }

    private bool IsMask { get; init; }

    /// <summary>Gets the options that a model's settings ask for.</summary>
    /// <param name="settings">The settings of the model.</param>
    public static DecodeOptions For(FitSettings settings) =>
        new()
        {
            MinimumSize = settings.JpegDecoding == JpegDecoding.Scaled ? CreateMinimumSize(settings) : null,
            SignificantBits = settings.SignificantBits,
        };

    private static MinimumSize CreateMinimumSize(FitSettings settings)
    {
        var size = settings.GetImageSize();
        var (width, height) = (Oversampling * size.Width, Oversampling * size.Height);
        if (settings.Region is { } region)
        {
            // The region is to be as large, in whose image the part is looked for too.
            var least = settings.Alignment == AlignmentMethod.None ? 1 : Oversampling * FitSettings.TemplateSide;
            return new MinimumSize(
                Math.Max(least, (int)Math.Ceiling(width / region.Width)),
                Math.Max(least, (int)Math.Ceiling(height / region.Height))
            );
        }
        return new MinimumSize(
            width,
            height,
            // Both sides are resized by one factor: where one is long enough to fill the image size, so is the other.
            settings.Aspect == AspectMode.Letterbox
        );
    }

    /// <summary>Creates the scale of a file with samples of more than 8 bits.</summary>
    /// <param name="most">The largest number that a sample can be.</param>
    /// <param name="statedBits">The bits that the file says it uses; null if it does not say.</param>
    internal SampleScale CreateScale(uint most, int? statedBits = null) =>
        IsMask ? SampleScale.CreateForMask() : SampleScale.Create(most, SignificantBits, statedBits);

    /// <summary>Creates the scale of raw pixels.</summary>
    internal SampleScale CreateScale(PixelLayout layout) =>
        IsMask ? SampleScale.CreateForMask() : layout.CreateScale(SignificantBits);
}
