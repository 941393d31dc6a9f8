namespace PaDiM.Imaging.Decoding;

/// <summary>What the header of an encoded image says, and what it costs to decode the pixels.</summary>
/// <param name="Format">The encoding.</param>
/// <param name="Width">Pixels across, as stored: an orientation tag may swap the two.</param>
/// <param name="Height">Pixels down, as stored.</param>
/// <param name="DecodeBytes">Memory that decoding takes at its peak.</param>
public sealed record ImageHeader(ImageFormat Format, int Width, int Height, long DecodeBytes);
