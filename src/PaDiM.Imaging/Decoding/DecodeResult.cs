using System.Diagnostics.CodeAnalysis;

namespace PaDiM.Imaging.Decoding;

/// <summary>Represents the outcome of decoding: the image, or why it is refused.</summary>
public abstract record DecodeResult
{
    internal const string SeveralFrames =
        "The image has several frames or pages; send each frame as an image of its own.";

    private DecodeResult() { }

    /// <summary>Gets the image, or the refusal.</summary>
    /// <returns>True if there is an image.</returns>
    public bool TryGetImage([NotNullWhen(true)] out RgbImage? image, [NotNullWhen(false)] out Refused? refused)
    {
        image = (this as Decoded)?.Image;
        refused = this as Refused;
        return image is not null;
    }

    /// <summary>The image.</summary>
    /// <param name="Image">Upright RGB pixels.</param>
    /// <param name="Format">The encoding.</param>
    public sealed record Decoded(RgbImage Image, ImageFormat Format) : DecodeResult;

    /// <summary>The bytes are refused.</summary>
    /// <param name="Fault">The kind of fault.</param>
    /// <param name="Detail">A sentence that says what is wrong and what to do.</param>
    public sealed record Refused(ImageFault Fault, string Detail) : DecodeResult;
}
