using System.Diagnostics.CodeAnalysis;
using PaDiM.Core.Geometry;

namespace PaDiM.Imaging.Decoding;

/// <summary>Represents the outcome of decoding: the image, or why it is refused.</summary>
public abstract record DecodeResult
{
    private DecodeResult() { }

    /// <summary>Gets the image, or the refusal.</summary>
    /// <returns>True if there is an image.</returns>
    public bool TryGetImage([NotNullWhen(true)] out RgbImage? image, [NotNullWhen(false)] out Refused? refused)
    {
        var succeeded = TryGetDecoded(out var decoded, out refused);
        image = decoded?.Image;
        return succeeded;
    }

    /// <summary>Gets the image with what is known of its file, or the refusal.</summary>
    /// <returns>True if there is an image.</returns>
    public bool TryGetDecoded([NotNullWhen(true)] out Decoded? decoded, [NotNullWhen(false)] out Refused? refused)
    {
        decoded = this as Decoded;
        refused = this as Refused;
        return decoded is not null;
    }

    /// <summary>The image.</summary>
    /// <param name="Image">Upright RGB pixels.</param>
    /// <param name="Format">The encoding; null for raw pixels.</param>
    public sealed record Decoded(RgbImage Image, ImageFormat? Format) : DecodeResult
    {
        /// <summary>
        /// Gets the size of the upright image in the file, which regions, heatmaps and masks refer to.
        /// </summary>
        public Grid Size { get; init; } = new(Image.Height, Image.Width);

        private readonly Grid? _fileSize;

        /// <summary>Gets the size of the upright file, of which the image may be a region.</summary>
        public Grid FileSize
        {
            get => _fileSize ?? Size;
            init => _fileSize = value;
        }

        /// <summary>Gets whether the image has all pixels of the file.</summary>
        public bool IsFullSize => Size == new Grid(Image.Height, Image.Width);

        /// <summary>
        /// Gets whether samples have more than 8 bits, so that the pixels depend on
        /// <see cref="DecodeOptions.SignificantBits"/>.
        /// </summary>
        public bool IsDeep { get; init; }

        /// <summary>Gets what the decoder tolerated.</summary>
        public IReadOnlyList<ImageWarning> Warnings { get; init; } = [];
    }

    /// <summary>The bytes are refused.</summary>
    /// <param name="Fault">The kind of fault.</param>
    /// <param name="Detail">A sentence that says what is wrong and what to do.</param>
    public sealed record Refused(ImageFault Fault, string Detail) : DecodeResult;
}
