namespace PaDiM.Imaging.Decoding;

/// <summary>Specifies what a decoder tolerated.</summary>
public enum ImageWarningKind
{
    /// <summary>Parts of the file are damaged or out of place, but no pixel is lost.</summary>
    FileRepaired,
}

/// <summary>Represents something about a file that did not keep its pixels from being decoded.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Detail">A sentence that says what is wrong with the file.</param>
public sealed record ImageWarning(ImageWarningKind Kind, string Detail);
