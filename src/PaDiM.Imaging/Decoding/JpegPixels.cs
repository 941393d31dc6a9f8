using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>Decodes the pixels of JPEGs with libvips.</summary>
internal static class JpegPixels
{
    /// <summary>Opens a file. The rows of a single scan are decoded one after the other, so that it is enough to look at
    /// the clock between them.</summary>
    public static TimedSource Open(JpegSegments jpeg, DecodeClock clock) =>
        jpeg.HasSeveralScans ? new TimedSource(jpeg.Pieces, clock) : TimedSource.InPlace(jpeg.Pieces, clock);

    /// <summary>Decodes a file.</summary>
    /// <param name="file">Its segments, without those that no pixel depends on.</param>
    /// <param name="reduction">The divisor of both sides, 1, 2, 4 or 8.</param>
    /// <param name="orientation">Its EXIF orientation.</param>
    /// <exception cref="VipsException">The file is damaged, or the time is up.</exception>
    /// <exception cref="InvalidDataException">Pixels are missing, or the channels are neither grey nor
    /// colour.</exception>
    public static RgbImage Decode(TimedSource file, int reduction, int orientation) =>
        Read(file.Source, reduction, image => VipsPixels.Decode(image, orientation, file));

    /// <summary>Opens a file, and fails if any of its data is missing or damaged.</summary>
    /// <param name="source">The file.</param>
    /// <param name="reduction">The divisor of both sides, 1, 2, 4 or 8.</param>
    /// <param name="decode">Decodes all of its rows.</param>
    /// <exception cref="VipsException">The file is damaged.</exception>
    /// <exception cref="InvalidDataException">The data of the last rows is damaged.</exception>
    public static T Read<T>(Source source, int reduction, Func<Image, T> decode)
    {
        VipsRuntime.TakeReadWarning();
        T result;
        // For libjpeg, missing data is only a warning, and it fills up with grey: warnings fail.
        using (
            var image = Image.JpegloadSource(
                source,
                shrink: reduction,
                access: Enums.Access.Sequential,
                failOn: Enums.FailOn.Warning
            )
        )
            result = decode(image);
        // libvips looks for warnings before it decodes eight rows. Those of the last rows it only logs, on closing.
        return VipsRuntime.TakeReadWarning()
            ? throw new InvalidDataException("the data of its last rows is damaged")
            : result;
    }
}
