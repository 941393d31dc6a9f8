using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Encoded bytes to upright sRGB pixels, by libvips and one small reader for BMP. The header is read first and the
/// limit on pixels holds before any is decoded; truncated files are errors, never half grey. Fit, score and evaluation
/// all come through here. Thread-safe.
/// </summary>
public sealed class ImageDecoder
{
    private readonly long _maxPixels;
    private readonly TimeSpan? _limit;

    /// <summary>A decoder with limits of its own.</summary>
    /// <param name="maxPixels">Largest width times height.</param>
    /// <param name="limit">How long an image of up to <see cref="PixelsInTime"/> may take, a larger one in proportion;
    /// null for as long as it takes.</param>
    /// <param name="memoryBytes">Memory for all images that are decoded at a time; where it is short, some
    /// wait.</param>
    public ImageDecoder(long maxPixels = DefaultMaxPixels, TimeSpan? limit = null, long memoryBytes = long.MaxValue)
    {
        _maxPixels = Math.Min(maxPixels, Array.MaxLength / 3);
        _limit = limit;
        Memory = new DecodingMemory(memoryBytes);
        Patient = limit is null ? this : new ImageDecoder(maxPixels, null, memoryBytes);
    }

    /// <summary>
    /// The same without a limit of time, and with memory of its own: for images that came through once. They must not
    /// be lost to a machine that is busy, and hold up no others.
    /// </summary>
    public ImageDecoder Patient { get; }

    /// <summary>What images that are decoded at a time share.</summary>
    internal DecodingMemory Memory { get; }

    /// <summary>64 megapixels.</summary>
    public const long DefaultMaxPixels = 64L << 20;

    /// <summary>8 megapixels: more of them may take longer, in proportion.</summary>
    public const long PixelsInTime = 8L << 20;

    /// <summary>At its peak: coefficients of a progressive JPEG, rows on their way, and the image itself.</summary>
    private const int BytesPerPixel = 10;

    /// <summary>Computed between two looks at the clock.</summary>
    private const int RowsAtATime = 16;

    private static readonly string[] Endings =
    [
        "premature end",
        "truncat",
        "end of file",
        "unexpected end",
        "not enough data",
        "read error",
        "out of data",
    ];

    /// <summary>Held for as long as native code may call it.</summary>
    private static readonly Log.LogDelegate Silence = (_, _, _) => { };

    static ImageDecoder()
    {
        // Requests bring the parallelism; a cache of operations would only hold their buffers.
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;
        NetVips.NetVips.BlockUntrusted = true;
        // What libvips warns of is either refused, with its words in the answer, or harmless; hostile files must not
        // fill the log.
        _ = Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Silence);
    }

    /// <summary>Decodes an image, and waits on the caller's thread where memory is short.</summary>
    public DecodeResult Decode(byte[] bytes)
    {
        // Nothing in it is left to another thread, and so it has ended here.
        return DecodeAsync(bytes, isUrgent: false, Wait).AsTask().GetAwaiter().GetResult();

        static Task Wait(Task room)
        {
            room.GetAwaiter().GetResult();
            return Task.CompletedTask;
        }
    }

    /// <summary>Decodes an image.</summary>
    /// <param name="bytes">The encoded image.</param>
    /// <param name="isUrgent">Where memory is short, it goes before those that are not.</param>
    /// <param name="aside">Waits where memory is short: who holds a core for this image lets others have it until the
    /// task that this is given ends.</param>
    public async ValueTask<DecodeResult> DecodeAsync(byte[] bytes, bool isUrgent, Func<Task, Task> aside)
    {
        if (bytes.Length == 0)
            return Refuse(ImageFault.Empty, "The image is empty; send the bytes of an image file.");
        if (ImageFormats.Recognise(bytes) is not { } format)
            return Refuse(ImageFault.Unsupported, "The bytes are not a PNG, JPEG, BMP, TIFF or WebP image.");
        try
        {
            return format == ImageFormat.Bmp
                ? await DecodeBmpAsync(bytes, isUrgent, aside)
                : await DecodeByVipsAsync(bytes, format, isUrgent, aside);
        }
        catch (InvalidDataException e)
        {
            return Refuse(
                ImageFault.Unreadable,
                $"The {format.Name()} image cannot be decoded: it is damaged or truncated ({e.Message})."
            );
        }
        catch (VipsException e)
        {
            return Refuse(
                ImageFault.Unreadable,
                $"The {format.Name()} image cannot be decoded: it is damaged or truncated{(EndsEarly(e.Message) ? " (its data ends too early)" : "")}."
            );
        }
    }

    /// <summary>The refusal of an image with more pixels than the limit, or null.</summary>
    public DecodeResult.Refused? CheckSize(int width, int height) =>
        (long)width * height > _maxPixels
            ? Refuse(
                ImageFault.TooLarge,
                $"The image has {width} x {height} = {(long)width * height:N0} pixels; at most {_maxPixels:N0} are read."
            )
            : null;

    private async ValueTask<DecodeResult> DecodeBmpAsync(byte[] bytes, bool isUrgent, Func<Task, Task> aside)
    {
        var bitmap = BmpReader.ReadHeader(bytes);
        if (CheckSize(bitmap.Width, bitmap.Height) is { } tooLarge)
            return tooLarge;
        using var room = Memory.Ask((long)bitmap.Width * bitmap.Height * 3, isUrgent);
        if (!room.Granted.IsCompleted)
            await aside(room.Granted);
        return new DecodeResult.Decoded(bitmap.Decode(bytes), ImageFormat.Bmp);
    }

    private async ValueTask<DecodeResult> DecodeByVipsAsync(
        byte[] bytes,
        ImageFormat format,
        bool isUrgent,
        Func<Task, Task> aside
    )
    {
        if (FindFault(bytes, format) is { } fault)
            return fault;
        using var file = new TimedSource(bytes, _limit);
        try
        {
            return await DecodeFromAsync(file, format, isUrgent, aside);
        }
        catch (VipsException) when (file.IsExpired)
        {
            return Refuse(
                ImageFault.TooComplex,
                $"The {format.Name()} image takes too long to decode; it was given up. Save it again in a plain way, or smaller."
            );
        }
    }

    /// <summary>
    /// The refusal that the beginning of a file is enough for, before the rest of it has come; null where the rest has
    /// to be seen.
    /// </summary>
    public DecodeResult.Refused? CheckBeginning(ReadOnlySpan<byte> beginning)
    {
        try
        {
            // Of a file like any other nothing is thrown: every image that is sent comes by here.
            return ImageFormats.Recognise(beginning) switch
            {
                ImageFormat.Tiff when TiffDirectory.BeginsWithin(beginning) => TiffDirectory.FindFault(beginning),
                ImageFormat.Png when beginning.Length >= PngChunks.HeaderEnd => CheckPngHeader(beginning),
                _ => null,
            };
        }
        catch (InvalidDataException)
        {
            // What is missing may still come.
            return null;
        }
    }

    /// <summary>What can be told of a file without libvips, which would read on in it.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    private DecodeResult.Refused? FindFault(ReadOnlySpan<byte> bytes, ImageFormat format)
    {
        if (format == ImageFormat.Tiff)
            return TiffDirectory.FindFault(bytes);
        if (format != ImageFormat.Png)
            return null;
        if (CheckPngHeader(bytes) is { } refused)
            return refused;
        if (!PngChunks.IsComplete(bytes))
            throw new InvalidDataException("its end is missing");
        if (PngChunks.HoldsTooMuch(bytes))
            throw new InvalidDataException("it holds more data than pixels");
        return null;
    }

    private DecodeResult.Refused? CheckPngHeader(ReadOnlySpan<byte> png)
    {
        var (width, height) = PngChunks.ReadSize(png);
        return CheckSize(width, height)
            ?? (PngChunks.IsAnimated(png) ? Refuse(ImageFault.Animated, DecodeResult.SeveralFrames) : null);
    }

    private async ValueTask<DecodeResult> DecodeFromAsync(
        TimedSource file,
        ImageFormat format,
        bool isUrgent,
        Func<Task, Task> aside
    )
    {
        using var image = Load(file.Source, format);
        if (CheckSize(image.Width, image.Height) is { } tooLarge)
            return tooLarge;
        if (Frames(image) > 1)
            return Refuse(ImageFault.Animated, DecodeResult.SeveralFrames);
        if (image.Format is not (Enums.BandFormat.Uchar or Enums.BandFormat.Ushort))
            return Refuse(
                ImageFault.Unsupported,
                $"The {format.Name()} image has samples of a kind that is not read (signed, floating-point, or of 32 bits); save it with 8 or 16 bits a channel."
            );

        var pixels = (long)image.Width * image.Height;
        using var room = Memory.Ask(pixels * BytesPerPixel, isUrgent);
        if (!room.Granted.IsCompleted)
            await aside(room.Granted);
        file.Restart(Math.Max(1, (double)pixels / PixelsInTime));
        using var rgb = ToRgb(image);
        var rows = Read(rgb, file);
        return new DecodeResult.Decoded(
            OrientationOf(image) is { } orientation ? Turn(rows, orientation, file) : rows,
            format
        );
    }

    /// <summary>
    /// Damaged tiles of a TIFF are warnings to libvips, and so is what a JPEG lacks: they would be filled with black or
    /// grey.
    /// </summary>
    private static Image Load(Source source, ImageFormat format) =>
        format switch
        {
            ImageFormat.Png => Image.PngloadSource(source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error),
            ImageFormat.Jpeg => Image.JpegloadSource(
                source,
                access: Enums.Access.Sequential,
                failOn: Enums.FailOn.Warning
            ),
            ImageFormat.Tiff => Image.TiffloadSource(
                source,
                access: Enums.Access.Sequential,
                failOn: Enums.FailOn.Warning
            ),
            ImageFormat.WebP => Image.WebploadSource(
                source,
                access: Enums.Access.Sequential,
                failOn: Enums.FailOn.Error
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };

    private static int Frames(Image image) => image.Contains("n-pages") ? (int)image.Get("n-pages") : 1;

    /// <summary>
    /// Computes all pixels, some rows at a time, on the calling thread. What libvips offers for it computes on threads
    /// of its own, which have the priority of whoever happened to start them: an image of the line could wait for one
    /// that a job started.
    /// </summary>
    private static RgbImage Read(Image image, TimedSource file)
    {
        using var region = Region.New(image);
        var pixels = new byte[checked(3 * image.Width * image.Height)];
        var stride = 3 * image.Width;
        for (var top = 0; top < image.Height; top += RowsAtATime)
        {
            if (file.IsExpired)
                throw new VipsException("the time is up");
            region.Fetch(0, top, image.Width, Math.Min(RowsAtATime, image.Height - top)).CopyTo(pixels, top * stride);
        }
        return new RgbImage(image.Width, image.Height, pixels);
    }

    /// <summary>How the camera was held, where the image has to be turned or mirrored for it.</summary>
    private static int? OrientationOf(Image image) =>
        image.Contains("orientation") && (int)image.Get("orientation") is > 1 and <= 8 and var orientation
            ? orientation
            : null;

    /// <summary>
    /// Turned as its orientation tag says, from memory: a turn reads rows out of order, which a sequential reader
    /// cannot.
    /// </summary>
    private static RgbImage Turn(RgbImage image, int orientation, TimedSource file)
    {
        using var stored = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var tagged = stored.Mutate(mutable => mutable.Set(GValue.GIntType, "orientation", orientation));
        using var upright = tagged.Autorot();
        return Read(upright, file);
    }

    /// <summary>sRGB, grey replicated, 16 bits divided by 257, alpha flattened on black.</summary>
    private static Image ToRgb(Image image)
    {
        using var eight = ToEightBits(image);
        using var colour = ToSrgb(eight);
        using var opaque = colour.HasAlpha() ? colour.Flatten() : colour.Copy();
        using var bytes = opaque.Cast(Enums.BandFormat.Uchar);
        return bytes.Bands switch
        {
            1 => bytes.Bandjoin(bytes, bytes),
            3 => bytes.Copy(),
            > 3 => bytes.ExtractBand(0, 3),
            _ => throw new InvalidDataException($"{bytes.Bands} channels are neither grey nor colour"),
        };
    }

    private static Image ToEightBits(Image image)
    {
        if (image.Format != Enums.BandFormat.Ushort)
            return image.Copy();
        using var scaled = image.Linear([1 / 257.0], [0.0]);
        using var rounded = scaled.Rint();
        using var bytes = rounded.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(
            interpretation: image.Interpretation switch
            {
                Enums.Interpretation.Grey16 => Enums.Interpretation.Bw,
                Enums.Interpretation.Rgb16 => Enums.Interpretation.Srgb,
                var other => other,
            }
        );
    }

    private static Image ToSrgb(Image image)
    {
        if (image.Interpretation is Enums.Interpretation.Bw or Enums.Interpretation.Multiband)
            return image.Copy();
        if (!image.Contains("icc-profile-data"))
            return image.Colourspace(Enums.Interpretation.Srgb);
        try
        {
            return image.IccTransform("srgb", embedded: true, intent: Enums.Intent.Relative);
        }
        catch (VipsException)
        {
            // A profile that cannot be used says nothing about the colours; they are taken at face value.
            using var bare = image.Mutate(mutable => mutable.Remove("icc-profile-data"));
            return bare.Colourspace(Enums.Interpretation.Srgb);
        }
    }

    private static DecodeResult.Refused Refuse(ImageFault fault, string detail) => new(fault, detail);

    /// <summary>
    /// Of what libvips and the libraries below it say, the one thing that a sender can do something about; the rest are
    /// names of their parts.
    /// </summary>
    private static bool EndsEarly(string message) =>
        Array.Exists(Endings, ending => message.Contains(ending, StringComparison.OrdinalIgnoreCase));
}
