namespace PaDiM.Imaging.Decoding;

/// <summary>Says which variants of TIFF are read.</summary>
internal static class TiffSupport
{
    /// <summary>
    /// Bytes for each pixel of the image that a strip or tile may have: four inks of 32 bits. Compressed, many samples
    /// that are no colour would take gigabytes and almost nothing in the file.
    /// </summary>
    private const long MaxBytesPerPixel = 16;

    private const long AnyChunkBytes = 64L << 20;

    /// <summary>Gets why a page is refused, as a sentence that says what to do; or null.</summary>
    /// <param name="file">The file, or its beginning.</param>
    /// <param name="page">The page.</param>
    /// <param name="first">The first directory of the file, which says whether it is a raw photograph.</param>
    public static string? FindFault(TiffBytes file, TiffPage page, TiffDirectory first)
    {
        if (first.Contains(TiffTag.DngVersion) || page.Photometric is TiffPhotometric.Mosaic or TiffPhotometric.Raw)
            return "Raw photographs (DNG) are not developed here; send the picture as TIFF or PNG, "
                + "or the pixels of a monochrome sensor as gray16.";
        if (!Enum.IsDefined(page.Compression))
            return $"TIFF compression {(int)page.Compression} is not supported; "
                + "save the image uncompressed, or with LZW, Deflate, PackBits, JPEG or CCITT.";
        if (!Enum.IsDefined(page.Photometric) || page.SamplesPerPixel < page.Colours)
            return $"TIFF images of colour model {(int)page.Photometric} with {page.SamplesPerPixel} samples per pixel "
                + "are not supported; save the image as grey or RGB.";
        if (page.Photometric == TiffPhotometric.Separated && page.Directory.GetNumber(file, TiffTag.InkSet, 1) != 1)
            return "TIFF images of other inks than CMYK are not supported; save the image as RGB.";
        if (page.Bits < 0 || page.SampleFormat < 0)
            return "TIFF images whose channels differ in depth are not supported; save all with 8 or 16 bits.";
        if (
            !(page.IsUnsigned || page.SampleFormat is TiffSampleFormat.Signed or TiffSampleFormat.Float)
            || !(page.Bits is >= 1 and <= 16 or 32 or 64)
            || (page.SampleFormat == TiffSampleFormat.Float && page.Bits is not (16 or 32 or 64))
            || (page.SampleFormat == TiffSampleFormat.Signed && page.Bits is not (8 or 16 or 32 or 64))
        )
            return $"TIFF samples of {page.Bits} bits of this kind are not supported; save the image with 8 or 16 "
                + "bits.";
        if (
            (!page.IsUnsigned || page.Bits > 16)
            && (
                page.Range is null
                || page.Photometric
                    is not (TiffPhotometric.BlackIsZero or TiffPhotometric.WhiteIsZero or TiffPhotometric.Rgb)
            )
        )
            return "TIFF samples that are signed, floating-point or of 32 bits need their range in the tags "
                + "SMinSampleValue and SMaxSampleValue; or save the image with 8 or 16 bits per channel.";
        if (page.IsFax && (page.Bits != 1 || page.SamplesPerPixel != 1))
            return "TIFF images compressed as a fax have one bit per pixel.";
        if (page.HoldsFiles && (page.Bits != 8 || page.Predictor != 1))
            return "TIFF images compressed as JPEG or WebP are read with 8 bits; save the image with another "
                + "compression.";
        if (
            page.Compression == TiffCompression.OldJpeg
            && (
                !page.Directory.Contains(TiffTag.OldJpegOffset)
                || page.IsTiled
                || page.IsPlanar
                || page.Directory.Count(TiffTag.StripOffsets) != 1
            )
        )
            return "Old-style JPEG compression in several pieces is not supported; save the image with another one.";
        if (
            page.Photometric == TiffPhotometric.YCbCr
            && (page.IsPlanar || page.Bits != 8 || page.SamplesPerPixel != 3 || page.Predictor != 1)
        )
            return "This kind of YCbCr TIFF is not supported; save the image as RGB.";
        if (page.Photometric is TiffPhotometric.CieLab or TiffPhotometric.IccLab && page.Bits is not (8 or 16))
            return "L*a*b* TIFF images are read with 8 or 16 bits; save the image so, or as RGB.";
        if (!HasSmallChunks(page))
            return $"TIFF images with {page.SamplesPerPixel} samples of {page.Bits} bits per pixel are not supported in "
                + "strips or tiles of this size; save the image as grey or RGB.";
        return page.Predictor switch
        {
            1 or 2 => null,
            3 when page.SampleFormat == TiffSampleFormat.Float && page.Bits is 16 or 32 or 64 => null,
            _ => $"TIFF predictor {page.Predictor} is not supported with {page.Bits} bits; save the image without.",
        };
    }

    /// <summary>Gets whether a strip or tile, as stored and with 8 bits per sample, is not too much for memory.</summary>
    private static bool HasSmallChunks(TiffPage page)
    {
        const int channels = 3;
        var pixels = (long)page.Width * page.Height;
        // No decoder takes so many pixels, and that is then what is said.
        if (pixels > Array.MaxLength / channels)
            return true;
        var bytes = (Int128)page.ChunkWidth * page.ChunkHeight * page.SamplesPerChunk * Math.Max(8, page.Bits) / 8;
        return bytes <= Math.Min(Math.Max(AnyChunkBytes, MaxBytesPerPixel * pixels), Array.MaxLength)
            && (page.Colours < 4 || 4 * pixels <= Array.MaxLength);
    }
}
