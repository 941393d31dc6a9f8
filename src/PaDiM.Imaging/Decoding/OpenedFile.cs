using System.Diagnostics.CodeAnalysis;

namespace PaDiM.Imaging.Decoding;

/// <summary>A file of a format that this project reads itself. Its header was read, but no pixel.</summary>
/// <param name="Width">Pixels across, as stored.</param>
/// <param name="Height">Pixels down, as stored.</param>
/// <param name="DecodeBytes">Memory that decoding takes at its peak.</param>
/// <param name="IsDeep">Whether samples have more than 8 bits.</param>
/// <param name="Decode">Decodes the pixels within a time.</param>
internal sealed record OpenedFile(
    int Width,
    int Height,
    long DecodeBytes,
    bool IsDeep,
    Func<DecodeClock, RgbImage> Decode
)
{
    /// <summary>A bitmap is decoded straight into the image.</summary>
    private const int BytesPerBitmapPixel = 3;

    /// <summary>Reads the header of a bitmap, a portable map or a TIFF.</summary>
    /// <exception cref="InvalidDataException">The header is damaged.</exception>
    public static bool TryOpen(
        byte[] bytes,
        ImageFormat format,
        DecodeOptions options,
        [NotNullWhen(true)] out OpenedFile? file,
        [NotNullWhen(false)] out DecodeResult.Refused? refused
    )
    {
        refused = null;
        file = format switch
        {
            ImageFormat.Bmp => OpenBitmap(bytes),
            ImageFormat.Pnm => OpenMap(bytes, options),
            _ => TiffPage.Find(bytes, isWhole: true, out refused) is { } page ? OpenPage(page, bytes, options) : null,
        };
        return file is not null;
    }

    private static OpenedFile OpenBitmap(byte[] bytes)
    {
        var bitmap = BmpReader.ReadHeader(bytes);
        var pixels = (long)bitmap.Width * bitmap.Height;
        return new OpenedFile(
            bitmap.Width,
            bitmap.Height,
            pixels * (BytesPerBitmapPixel + (bitmap.HasAlpha ? 1 : 0)),
            IsDeep: false,
            _ => bitmap.Decode(bytes)
        );
    }

    private static OpenedFile OpenMap(byte[] bytes, DecodeOptions options)
    {
        var map = PnmReader.ReadHeader(bytes);
        var scale = map.IsDeep ? options.CreateScale(map.Most) : SampleScale.Create(map.Most);
        return new OpenedFile(
            map.Width,
            map.Height,
            (long)map.Width * map.Height * BytesPerBitmapPixel,
            map.IsDeep,
            clock => map.Decode(bytes, clock, scale)
        );
    }

    private static OpenedFile OpenPage(TiffPage page, byte[] bytes, DecodeOptions options) =>
        new(
            page.Width,
            page.Height,
            (long)page.Width * page.Height * ImageDecoder.BytesPerPixel + page.ChunkBytes,
            page.IsDeep,
            clock => TiffReader.Decode(page, bytes, clock, options)
        );
}
