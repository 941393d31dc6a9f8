namespace PaDiM.Imaging.Decoding;

/// <summary>Specifies an encoding. The first bytes of a file decide it, never a name or a content type.</summary>
public enum ImageFormat
{
    /// <summary>Portable Network Graphics.</summary>
    Png,

    /// <summary>JPEG.</summary>
    Jpeg,

    /// <summary>Windows bitmap.</summary>
    Bmp,

    /// <summary>Tagged Image File Format.</summary>
    Tiff,

    /// <summary>WebP.</summary>
    WebP,

    /// <summary>Portable bitmap, greymap or pixmap (PBM, PGM, PPM).</summary>
    Pnm,
}

/// <summary>Recognises encodings.</summary>
public static class ImageFormats
{
    /// <summary>Gets the extensions of image files; case does not count.</summary>
    public static IReadOnlySet<string> Extensions { get; } =
        new HashSet<string>(
            [".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm", ".pnm"],
            StringComparer.OrdinalIgnoreCase
        );

    /// <summary>Gets the format that the first bytes belong to, or null.</summary>
    public static ImageFormat? Recognise(ReadOnlySpan<byte> bytes) =>
        bytes switch
        {
            [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => ImageFormat.Png,
            [0xFF, 0xD8 or 0xFF, ..] when IsJpeg(bytes) => ImageFormat.Jpeg,
            [(byte)'B', (byte)'M', ..] => ImageFormat.Bmp,
            [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => ImageFormat.Tiff,
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] =>
                ImageFormat.WebP,
            _ when PnmReader.IsBeginning(bytes) => ImageFormat.Pnm,
            _ => null,
        };

    /// <summary>Gets whether a JPEG begins here: its start marker, which fill bytes may precede.</summary>
    private static bool IsJpeg(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOfAnyExcept(JpegMarker.Prefix) is > 0 and var at && bytes[at] == JpegMarker.StartOfImage;

    /// <summary>Gets whether a file has the name of an image.</summary>
    public static bool HasImageExtension(string path) => Extensions.Contains(Path.GetExtension(path));

    /// <summary>Gets the usual extension of a format, with its dot.</summary>
    public static string Extension(this ImageFormat format) => $".{format.ToString().ToLowerInvariant()}";

    /// <summary>Gets the usual spelling of a format.</summary>
    public static string Name(this ImageFormat format) =>
        format is ImageFormat.WebP ? "WebP" : format.ToString().ToUpperInvariant();

    /// <summary>Gets the media type of a format.</summary>
    public static string MediaType(this ImageFormat format) =>
        format is ImageFormat.Pnm ? "image/x-portable-anymap" : $"image/{format.ToString().ToLowerInvariant()}";
}
