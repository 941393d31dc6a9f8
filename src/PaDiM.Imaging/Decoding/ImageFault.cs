namespace PaDiM.Imaging.Decoding;

/// <summary>Specifies why an image is refused.</summary>
public enum ImageFault
{
    /// <summary>There are no bytes.</summary>
    Empty,

    /// <summary>The format, or its variant, is not supported.</summary>
    Unsupported,

    /// <summary>The file is damaged or truncated.</summary>
    Unreadable,

    /// <summary>The image has more pixels than the limit.</summary>
    TooLarge,

    /// <summary>The file has more than one frame or page.</summary>
    Animated,

    /// <summary>Decoding takes longer than the limit.</summary>
    TooComplex,

    /// <summary>A sample is larger than the declared significant bits allow.</summary>
    SampleOutOfRange,
}
