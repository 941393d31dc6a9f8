namespace PaDiM.Client;

/// <summary>
/// Pixels as a camera delivers them: rows from the top, without padding. The score equals that of the same pixels in a
/// PNG.
/// </summary>
/// <param name="Pixels">The samples; exactly as many bytes as the size and the format need. They are sent from where
/// they are, without a copy: leave them alone until the call returns.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Format">How samples are stored, such as <see cref="PixelFormat.Bgr24"/>.</param>
public sealed record RawFrame(ReadOnlyMemory<byte> Pixels, int Width, int Height, PixelFormat Format);
