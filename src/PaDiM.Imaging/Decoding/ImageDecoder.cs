using System.Diagnostics.CodeAnalysis;
using NetVips;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Decodes encoded images to upright sRGB pixels: PNG, JPEG and WebP with libvips, TIFF, BMP and portable maps with
/// readers of this project. The header is read first, and the limit on pixels applies before any pixel is decoded.
/// Truncated files are errors, never half grey. Fit, score and evaluation all decode here. Thread-safe.
/// </summary>
public sealed class ImageDecoder
{
    /// <summary>64 megapixels.</summary>
    public const long DefaultMaxPixels = 64L << 20;

    /// <summary>8 megapixels: larger images may take longer, in proportion.</summary>
    public const long PixelsPerTimeLimit = 8L << 20;

    /// <summary>At the peak: coefficients of a progressive JPEG, rows in transit, and the image itself.</summary>
    internal const int BytesPerPixel = 10;

    /// <summary>Of these, what the coefficients of three components take.</summary>
    private const int CoefficientBytesPerPixel = 6;

    private readonly long _maxPixels,
        _maxDecodeBytes;
    private readonly TimeSpan? _limit;
    private readonly TimeProvider _time;
    private readonly Func<long, IDisposable>? _reserve;

    /// <summary>Creates a decoder.</summary>
    /// <param name="maxPixels">Largest width times height.</param>
    /// <param name="limit">How long an image of up to <see cref="PixelsPerTimeLimit"/> may take, a larger one in
    /// proportion; null for no limit.</param>
    /// <param name="time">The clock; the system's by default.</param>
    /// <param name="maxDecodeBytes">The most memory that decoding may take, in bytes.</param>
    public ImageDecoder(
        long maxPixels = DefaultMaxPixels,
        TimeSpan? limit = null,
        TimeProvider? time = null,
        long maxDecodeBytes = long.MaxValue
    )
        : this(
            Math.Min(maxPixels, Array.MaxLength / 3),
            maxDecodeBytes,
            limit,
            time ?? TimeProvider.System,
            reserve: null
        ) { }

    private ImageDecoder(
        long maxPixels,
        long maxDecodeBytes,
        TimeSpan? limit,
        TimeProvider time,
        Func<long, IDisposable>? reserve
    )
    {
        VipsRuntime.EnsureConfigured();
        _maxPixels = maxPixels;
        _maxDecodeBytes = maxDecodeBytes;
        _limit = limit;
        _time = time;
        _reserve = reserve;
    }

    /// <summary>
    /// Creates a decoder without a time limit, for images that were decoded before: a busy machine must not lose them.
    /// </summary>
    /// <param name="reserve">Called with the bytes that decoding takes, before the pixels are decoded. It may block
    /// until there is room; what it returns is disposed when the image is decoded.</param>
    public ImageDecoder WithoutTimeLimit(Func<long, IDisposable>? reserve = null) =>
        new(_maxPixels, _maxDecodeBytes, limit: null, _time, reserve);

    /// <summary>Reads the header of an image, which is cheap, and decodes no pixel.</summary>
    /// <param name="bytes">The encoded image.</param>
    /// <param name="header">The header.</param>
    /// <param name="refused">Why the image is refused.</param>
    /// <param name="options">How it will be decoded, as for <see cref="Decode"/>.</param>
    /// <returns>True if the header is accepted; the pixels may still turn out to be damaged.</returns>
    public bool TryProbe(
        byte[] bytes,
        [NotNullWhen(true)] out ImageHeader? header,
        [NotNullWhen(false)] out DecodeResult.Refused? refused,
        DecodeOptions? options = null
    )
    {
        header = null;
        if (!TryRecognise(bytes, out var format, out refused))
            return false;
        try
        {
            refused = format switch
            {
                ImageFormat.Bmp or ImageFormat.Tiff or ImageFormat.Pnm => ProbeHere(bytes, format, out header),
                ImageFormat.Jpeg => ProbeJpeg(bytes, options, out header),
                _ => ProbeWithVips(bytes, format, out header),
            };
        }
        catch (Exception e) when (e is InvalidDataException or VipsException)
        {
            refused = Refusals.CreateUnreadable(format, e);
        }
        if (header is not null)
            refused ??= CheckMemory(header);
        return refused is null;
    }

    /// <summary>Decodes an image.</summary>
    /// <param name="bytes">The encoded image.</param>
    /// <param name="options">How; null for <see cref="DecodeOptions.Default"/>.</param>
    public DecodeResult Decode(byte[] bytes, DecodeOptions? options = null)
    {
        if (!TryRecognise(bytes, out var format, out var refused))
            return refused;
        try
        {
            return DecodeAs(format, bytes, options ?? DecodeOptions.Default);
        }
        catch (SampleRangeException e)
        {
            return new DecodeResult.Refused(ImageFault.SampleOutOfRange, e.Message);
        }
        catch (Exception e) when (e is InvalidDataException or VipsException)
        {
            return Refusals.CreateUnreadable(format, e);
        }
    }

    /// <summary>Creates the image of raw pixels.</summary>
    /// <param name="bytes">As for <see cref="PixelLayout.ToImage(byte[])"/>.</param>
    /// <param name="layout">Their layout.</param>
    /// <param name="options">How samples of 16 bits become 8, if the layout does not say so.</param>
    public static DecodeResult DecodePixels(byte[] bytes, PixelLayout layout, DecodeOptions options)
    {
        try
        {
            return new DecodeResult.Decoded(layout.ToImage(bytes, options.CreateScale(layout)), Format: null);
        }
        catch (SampleRangeException e)
        {
            return new DecodeResult.Refused(ImageFault.SampleOutOfRange, e.Message);
        }
    }

    /// <summary>Gets the refusal of an image with more pixels than the limit, or null.</summary>
    public DecodeResult.Refused? CheckSize(int width, int height) =>
        (long)width * height > _maxPixels
            ? new DecodeResult.Refused(
                ImageFault.TooLarge,
                $"The image has {width} x {height} = {(long)width * height:N0} pixels; the limit is {_maxPixels:N0}."
            )
            : null;

    private DecodeResult.Refused? CheckMemory(ImageHeader header) =>
        header.DecodeBytes > _maxDecodeBytes
            ? new DecodeResult.Refused(
                ImageFault.TooLarge,
                $"Decoding the image of {header.Width} x {header.Height} pixels takes "
                    + $"{FitEstimate.FormatBytes(header.DecodeBytes)} of memory; this machine has "
                    + $"{FitEstimate.FormatBytes(_maxDecodeBytes)} for one image."
            )
            : null;

    /// <summary>
    /// Gets the refusal that the beginning of a file is enough for, before the rest has arrived, or null.
    /// </summary>
    public DecodeResult.Refused? CheckBeginning(ReadOnlySpan<byte> beginning)
    {
        try
        {
            // An ordinary file must not cause an exception here: every uploaded image passes this check.
            return ImageFormats.Recognise(beginning) switch
            {
                ImageFormat.Tiff when TiffPage.BeginsWithin(beginning) => CheckTiffHeader(beginning),
                ImageFormat.Png when beginning.Length >= PngChunks.HeaderEnd => CheckPngHeader(beginning),
                _ => null,
            };
        }
        catch (InvalidDataException)
        {
            // The missing part may still arrive.
            return null;
        }
    }

    private static bool TryRecognise(
        byte[] bytes,
        out ImageFormat format,
        [NotNullWhen(false)] out DecodeResult.Refused? refused
    )
    {
        var recognised = ImageFormats.Recognise(bytes);
        format = recognised.GetValueOrDefault();
        refused =
            bytes.Length == 0
                ? new DecodeResult.Refused(ImageFault.Empty, "The image is empty; send the bytes of an image file.")
            : recognised is null
                ? new DecodeResult.Refused(
                    ImageFault.Unsupported,
                    "The bytes are not a PNG, JPEG, BMP, TIFF, WebP, PGM or PPM image."
                )
            : null;
        return refused is null;
    }

    private DecodeResult DecodeAs(ImageFormat format, byte[] bytes, DecodeOptions options)
    {
        try
        {
            return format switch
            {
                ImageFormat.Bmp or ImageFormat.Tiff or ImageFormat.Pnm => DecodeHere(bytes, format, options),
                ImageFormat.Jpeg => DecodeJpeg(bytes, options),
                _ => DecodeWithVips(bytes, format, options),
            };
        }
        catch (SampleRangeException e) when (!e.IsDeclared)
        {
            // The samples fill the higher bits, as PNG's standard wants them, or the file is wrong: its range is all.
            return DecodeAs(format, bytes, options with { SignificantBits = FitSettings.MaxSignificantBits });
        }
    }

    private DecodeResult.Refused? ProbeHere(byte[] bytes, ImageFormat format, out ImageHeader? header)
    {
        header = null;
        if (!OpenedFile.TryOpen(bytes, format, DecodeOptions.Default, out var file, out var refused))
            return refused;
        header = new ImageHeader(format, file.Width, file.Height, file.DecodeBytes);
        return CheckSize(file.Width, file.Height);
    }

    private DecodeResult DecodeHere(byte[] bytes, ImageFormat format, DecodeOptions options)
    {
        if (!OpenedFile.TryOpen(bytes, format, options, out var file, out var refused))
            return refused;
        if (CheckSize(file.Width, file.Height) is { } tooLarge)
            return tooLarge;
        using var reserved = _reserve?.Invoke(file.DecodeBytes);
        var clock = new DecodeClock(_limit, _time);
        clock.Restart((long)file.Width * file.Height);
        try
        {
            return new DecodeResult.Decoded(file.Decode(clock), format) { IsDeep = file.IsDeep };
        }
        catch (Exception e) when (clock.Caused(e))
        {
            return Refusals.CreateTooComplex(format);
        }
    }

    private DecodeResult.Refused? ProbeJpeg(byte[] bytes, DecodeOptions? options, out ImageHeader? header)
    {
        header = null;
        var clock = new DecodeClock(_limit, _time);
        var frame = JpegSegments.ReadFrame(bytes);
        if (CheckSize(frame.Width, frame.Height) is { } tooLarge)
            return tooLarge;
        var jpeg = JpegSegments.ReadHeader(bytes, options?.MinimumSize);
        if (clock.IsExpired)
            return Refusals.CreateTooComplex(ImageFormat.Jpeg);
        header = new ImageHeader(ImageFormat.Jpeg, frame.Width, frame.Height, CountDecodeBytes(jpeg));
        return null;
    }

    private DecodeResult DecodeJpeg(byte[] bytes, DecodeOptions? options)
    {
        var frame = JpegSegments.ReadFrame(bytes);
        if (CheckSize(frame.Width, frame.Height) is { } tooLarge)
            return tooLarge;
        var jpeg = JpegSegments.Read(bytes, options?.MinimumSize);
        using var reserved = _reserve?.Invoke(CountDecodeBytes(jpeg));
        var clock = new DecodeClock(_limit, _time);
        clock.Restart((long)frame.Width * frame.Height);
        using var file = JpegPixels.Open(jpeg, clock);
        try
        {
            var image = JpegPixels.Decode(file, jpeg.Reduction, jpeg.Orientation);
            return new DecodeResult.Decoded(image, ImageFormat.Jpeg)
            {
                Size = ExifOrientation.IsSideways(jpeg.Orientation)
                    ? new Grid(frame.Width, frame.Height)
                    : new Grid(frame.Height, frame.Width),
                Warnings = jpeg.Warnings,
            };
        }
        catch (Exception e) when (clock.Caused(e))
        {
            return Refusals.CreateTooComplex(ImageFormat.Jpeg);
        }
    }

    /// <summary>The coefficients of several scans are in memory whole, at whatever scale they are decoded.</summary>
    private static long CountDecodeBytes(JpegSegments jpeg)
    {
        var pixels = (long)jpeg.Frame.Width * jpeg.Frame.Height;
        var coefficients = jpeg.HasSeveralScans ? CoefficientBytesPerPixel : 0;
        return pixels * coefficients + pixels * (BytesPerPixel - coefficients) / (jpeg.Reduction * jpeg.Reduction);
    }

    private DecodeResult.Refused? ProbeWithVips(byte[] bytes, ImageFormat format, out ImageHeader? header)
    {
        header = null;
        if (CheckFile(bytes, format) is { } refused)
            return refused;
        var clock = new DecodeClock(_limit, _time);
        using var file = new TimedSource([bytes], clock);
        try
        {
            using var image = VipsPixels.Load(file.Source, format);
            var pixels = (long)image.Width * image.Height;
            header = new ImageHeader(format, image.Width, image.Height, pixels * BytesPerPixel);
            return CheckHeader(image, format);
        }
        catch (Exception e) when (clock.Caused(e))
        {
            return Refusals.CreateTooComplex(format);
        }
    }

    private DecodeResult DecodeWithVips(byte[] bytes, ImageFormat format, DecodeOptions options)
    {
        if (CheckFile(bytes, format) is { } fault)
            return fault;
        var clock = new DecodeClock(_limit, _time);
        using var file = new TimedSource([bytes], clock);
        try
        {
            using var image = VipsPixels.Load(file.Source, format);
            if (CheckHeader(image, format) is { } refused)
                return refused;
            var pixels = (long)image.Width * image.Height;
            using var reserved = _reserve?.Invoke(pixels * BytesPerPixel);
            clock.Restart(pixels);
            var isDeep = format == ImageFormat.Png && PngChunks.IsDeep(bytes);
            var scale = options.CreateScale(ushort.MaxValue, isDeep ? PngChunks.ReadSignificantBits(bytes) : null);
            return new DecodeResult.Decoded(VipsPixels.Decode(image, file, scale), format) { IsDeep = isDeep };
        }
        catch (Exception e) when (clock.Caused(e))
        {
            return Refusals.CreateTooComplex(format);
        }
    }

    /// <summary>Checks what can be known without libvips, which would read on in the file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    private DecodeResult.Refused? CheckFile(ReadOnlySpan<byte> bytes, ImageFormat format)
    {
        if (format != ImageFormat.Png)
            return null;
        if (CheckPngHeader(bytes) is { } refused)
            return refused;
        if (!PngChunks.IsComplete(bytes))
            throw new InvalidDataException("the IEND chunk is missing");
        if (PngChunks.HasExcessData(bytes))
            throw new InvalidDataException("there is more data than the pixels need");
        return null;
    }

    private DecodeResult.Refused? CheckTiffHeader(ReadOnlySpan<byte> tiff) =>
        TiffPage.Find(tiff, isWhole: false, out var refused) is { } page ? CheckSize(page.Width, page.Height) : refused;

    private DecodeResult.Refused? CheckPngHeader(ReadOnlySpan<byte> png)
    {
        var (width, height) = PngChunks.ReadSize(png);
        return CheckSize(width, height) ?? (PngChunks.IsAnimated(png) ? Refusals.CreateAnimated() : null);
    }

    /// <summary>Checks what libvips knows once it has read the header.</summary>
    private DecodeResult.Refused? CheckHeader(Image image, ImageFormat format)
    {
        if (CheckSize(image.Width, image.Height) is { } tooLarge)
            return tooLarge;
        if (VipsPixels.CountFrames(image) > 1)
            return Refusals.CreateAnimated();
        return image.Format is Enums.BandFormat.Uchar or Enums.BandFormat.Ushort
            ? null
            : new DecodeResult.Refused(
                ImageFault.Unsupported,
                $"The {format.Name()} image has samples of an unsupported kind (signed, floating-point or 32-bit); "
                    + "save it with 8 or 16 bits per channel."
            );
    }
}
