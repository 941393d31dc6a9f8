namespace PaDiM.Imaging.Decoding;

/// <summary>What came of reading an image: the image, or why not.</summary>
public abstract record DecodeResult
{
    internal const string SeveralFrames = "The image has several frames or pages; send one frame as one image.";

    private DecodeResult() { }

    /// <summary>The image.</summary>
    /// <param name="Image">Upright RGB pixels.</param>
    /// <param name="Format">Its encoding.</param>
    public sealed record Decoded(RgbImage Image, ImageFormat Format) : DecodeResult;

    /// <summary>The bytes are refused.</summary>
    /// <param name="Fault">The kind of fault.</param>
    /// <param name="Detail">A sentence that says what is wrong and what to do.</param>
    public sealed record Refused(ImageFault Fault, string Detail) : DecodeResult;
}

/// <summary>Why an image is refused.</summary>
public enum ImageFault
{
    /// <summary>No bytes.</summary>
    Empty,

    /// <summary>Not one of the formats that are read.</summary>
    Unsupported,

    /// <summary>Damaged or truncated.</summary>
    Unreadable,

    /// <summary>More pixels than the limit.</summary>
    TooLarge,

    /// <summary>More than one frame or page.</summary>
    Animated,

    /// <summary>Takes longer to decode than an image may.</summary>
    TooComplex,
}
