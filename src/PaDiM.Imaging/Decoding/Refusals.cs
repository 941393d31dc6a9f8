namespace PaDiM.Imaging.Decoding;

/// <summary>Says why a file cannot be decoded.</summary>
internal static class Refusals
{
    private static readonly string[] TruncationMessages =
    [
        "premature end",
        "truncat",
        "end of file",
        "unexpected end",
        "not enough data",
        "read error",
        "out of data",
    ];

    /// <summary>Creates the refusal of a file with more than one picture.</summary>
    public static DecodeResult.Refused CreateAnimated() =>
        new(ImageFault.Animated, "The image has several frames or pages; send each frame as an image of its own.");

    /// <summary>Creates the refusal of a file that takes longer than the limit.</summary>
    public static DecodeResult.Refused CreateTooComplex(ImageFormat format) =>
        new(
            ImageFault.TooComplex,
            $"The {format.Name()} image takes too long to decode. "
                + "Save it in a simpler variant of the format, or smaller."
        );

    /// <summary>
    /// Creates the refusal of a damaged file. Of what libvips and its libraries report, only a truncation is passed on:
    /// the sender can do something about it. The rest are names of internal parts.
    /// </summary>
    public static DecodeResult.Refused CreateUnreadable(ImageFormat format, Exception exception)
    {
        var reason =
            exception is InvalidDataException ? $" ({exception.Message})"
            : IsTruncation(exception.Message) ? " (its data ends too early)"
            : "";
        return new DecodeResult.Refused(
            ImageFault.Unreadable,
            $"The {format.Name()} image cannot be decoded: it is damaged or truncated{reason}."
        );
    }

    private static bool IsTruncation(string message) =>
        Array.Exists(TruncationMessages, part => message.Contains(part, StringComparison.OrdinalIgnoreCase));
}
