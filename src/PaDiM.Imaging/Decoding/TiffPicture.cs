using System.Buffers.Binary;
using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads strips and tiles of a TIFF that are image files themselves. A JPEG gets the tables and markers that it lacks,
/// and goes to the strict reader of JPEGs: libtiff would fill up with grey what is missing.
/// </summary>
internal static class TiffPicture
{
    /// <summary>Decodes a strip or tile that is a JPEG.</summary>
    /// <param name="page">The page that it belongs to.</param>
    /// <param name="tables">What all of them have in common; may be empty.</param>
    /// <param name="strip">The compressed bytes.</param>
    /// <param name="rows">The rows that it must have.</param>
    /// <param name="clock">The time that is left.</param>
    /// <returns>8-bit samples, row by row.</returns>
    /// <exception cref="InvalidDataException">It is damaged, or not as the page says.</exception>
    /// <exception cref="VipsException">It is damaged, or the time is up.</exception>
    public static byte[] DecodeJpeg(
        TiffPage page,
        ReadOnlySpan<byte> tables,
        ReadOnlySpan<byte> strip,
        int rows,
        DecodeClock clock
    )
    {
        using var jpeg = new MemoryStream();
        jpeg.Write([JpegMarker.Prefix, JpegMarker.StartOfImage]);
        // Without this the decoder would guess from the numbers of the channels whether they are RGB.
        if (page.SamplesPerChunk == 3)
            jpeg.Write(CreateAdobeSegment(page.Photometric == TiffPhotometric.YCbCr));
        CopySegments(tables, jpeg);
        if (!CopySegments(strip, jpeg))
            throw new InvalidDataException("a strip or tile has no picture");
        var checkedJpeg = JpegSegments.Read(jpeg.ToArray(), minimumSize: null);
        using var file = JpegPixels.Open(checkedJpeg, clock);
        var samples = JpegPixels.Read(file.Source, 1, image => Fetch(image, page, rows, clock));
        // libvips takes four channels for the inverted inks of Adobe; in a TIFF they are as they are.
        if (page.SamplesPerChunk == 4)
            for (var i = 0; i < samples.Length; i++)
                samples[i] = (byte)~samples[i];
        return samples;
    }

    /// <summary>Decodes a strip or tile that is a WebP.</summary>
    /// <inheritdoc cref="DecodeJpeg"/>
    public static byte[] DecodeWebP(TiffPage page, ReadOnlySpan<byte> strip, int rows, DecodeClock clock)
    {
        if (ImageFormats.Recognise(strip) != ImageFormat.WebP)
            throw new InvalidDataException("a strip or tile is no WebP");
        using var file = new TimedSource([strip.ToArray()], clock);
        using var image = VipsPixels.Load(file.Source, ImageFormat.WebP);
        // WebP leaves alpha away where all of it is opaque.
        using var whole =
            image.Bands == 3 && page.SamplesPerChunk == 4 ? image.Bandjoin([byte.MaxValue]) : image.Copy();
        return Fetch(whole, page, rows, clock);
    }

    private static byte[] Fetch(Image image, TiffPage page, int rows, DecodeClock clock)
    {
        if (image.Bands != page.SamplesPerChunk || image.Format != Enums.BandFormat.Uchar)
            throw new InvalidDataException("a strip or tile has other channels than its page");
        if (image.Width != page.ChunkWidth || image.Height < rows || image.Height > page.ChunkHeight)
            throw new InvalidDataException("a strip or tile has another size than its page");
        // All rows, also those that stick out: only then is the data known to be complete.
        return VipsPixels.Fetch(image, page.ChunkWidth, image.Height, clock);
    }

    /// <summary>Copies tables, frame and scans, and leaves comments and the markers of applications away.</summary>
    /// <returns>True if there was a scan.</returns>
    private static bool CopySegments(ReadOnlySpan<byte> from, MemoryStream to)
    {
        if (from.IsEmpty)
            return false;
        if (from is not [JpegMarker.Prefix, JpegMarker.StartOfImage, ..])
            throw new InvalidDataException("a strip or tile is no JPEG");
        for (var at = 2; at + 4 <= from.Length; )
        {
            if (from[at] != JpegMarker.Prefix)
                throw new InvalidDataException("a strip or tile is a damaged JPEG");
            var marker = from[at + 1];
            if (marker == JpegMarker.Prefix)
            {
                at++;
                continue;
            }
            if (marker == JpegMarker.EndOfImage)
                break;
            if (marker == JpegMarker.StartOfScan)
            {
                to.Write(from[at..]);
                return true;
            }
            var length = 2 + BinaryPrimitives.ReadUInt16BigEndian(from[(at + 2)..]);
            if (length < 4 || at + length > from.Length)
                throw new InvalidDataException("a strip or tile ends too early");
            if (!JpegMarker.IsExtra(marker))
                to.Write(from.Slice(at, length));
            at += length;
        }
        return false;
    }

    private static byte[] CreateAdobeSegment(bool isYCbCr) =>
        [JpegMarker.Prefix, JpegMarker.Adobe, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, isYCbCr ? (byte)1 : (byte)0];
}
