using NetVips;

namespace PaDiM.Onnx.Imaging;

/// <summary>
/// Encoded bytes to upright sRGB pixels, by libvips and one small reader for BMP. The header is read first and the limit on pixels holds
/// before any is decoded; truncated files are errors, never half grey. Fit, score and evaluation all come through here. Thread-safe.
/// </summary>
/// <param name="maxPixels">Largest width times height.</param>
public sealed class ImageDecoder(long maxPixels = ImageDecoder.DefaultMaxPixels)
{
    private readonly long maxPixels = Math.Min(maxPixels, Array.MaxLength / 3);

    /// <summary>64 megapixels.</summary>
    public const long DefaultMaxPixels = 64L << 20;

    /// <summary>Held for as long as native code may call it.</summary>
    private static readonly Log.LogDelegate Silence = (_, _, _) => { };

    static ImageDecoder()
    {
        // Requests bring the parallelism; a cache of operations would only hold their buffers.
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;
        NetVips.NetVips.BlockUntrusted = true;
        // What libvips warns of is either refused, with its words in the answer, or harmless; hostile files must not fill the log.
        _ = Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Silence);
    }

    /// <summary>Decodes an image.</summary>
    public DecodeResult Decode(byte[] bytes)
    {
        if (bytes.Length == 0) return Refuse(ImageFault.Empty, "The image is empty; send the bytes of an image file.");
        if (ImageFormats.Recognise(bytes) is not { } format)
            return Refuse(ImageFault.Unsupported, "The bytes are not a PNG, JPEG, BMP, TIFF or WebP image.");
        try
        {
            return format == ImageFormat.Bmp ? DecodeBmp(bytes) : DecodeByVips(bytes, format);
        }
        catch (Exception e) when (e is VipsException or InvalidDataException)
        {
            return Refuse(ImageFault.Unreadable, $"The {format} image cannot be decoded: it is damaged or truncated ({FirstLine(e.Message)}).");
        }
    }

    /// <summary>The refusal of an image with more pixels than the limit, or null.</summary>
    public DecodeResult.Refused? CheckSize(int width, int height) => (long)width * height > maxPixels
        ? Refuse(ImageFault.TooLarge, $"The image has {width} x {height} = {(long)width * height:N0} pixels; at most {maxPixels:N0} are read.")
        : null;

    private DecodeResult DecodeBmp(byte[] bytes)
    {
        var bitmap = BmpReader.ReadHeader(bytes);
        if (CheckSize(bitmap.Width, bitmap.Height) is { } tooLarge) return tooLarge;
        return new DecodeResult.Decoded(bitmap.Decode(bytes), ImageFormat.Bmp);
    }

    private DecodeResult DecodeByVips(byte[] bytes, ImageFormat format)
    {
        using var image = Load(bytes, format);
        if (CheckSize(image.Width, image.Height) is { } tooLarge) return tooLarge;
        if (Frames(image) > 1 || (format == ImageFormat.Png && PngChunks.IsAnimated(bytes)))
            return Refuse(ImageFault.Animated, "The image has several frames or pages; send one frame as one image.");
        if (image.Format is not (Enums.BandFormat.Uchar or Enums.BandFormat.Ushort))
            return Refuse(ImageFault.Unsupported, $"Samples of type {image.Format} are not read; save the image with 8 or 16 bits a channel.");

        if (format == ImageFormat.Png && !PngChunks.IsComplete(bytes)) throw new InvalidDataException("its end is missing");

        using var upright = Upright(image);
        using var rgb = ToRgb(upright);
        return new DecodeResult.Decoded(new RgbImage(rgb.Width, rgb.Height, rgb.WriteToMemory<byte>()), format);
    }

    private static Image Load(byte[] bytes, ImageFormat format) => format switch
    {
        ImageFormat.Png => Image.PngloadBuffer(bytes, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error),
        ImageFormat.Jpeg => Image.JpegloadBuffer(bytes, access: Enums.Access.Sequential, failOn: Enums.FailOn.Warning),
        ImageFormat.Tiff => Image.TiffloadBuffer(bytes, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error),
        ImageFormat.WebP => Image.WebploadBuffer(bytes, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    private static int Frames(Image image) => image.Contains("n-pages") ? (int)image.Get("n-pages") : 1;

    /// <summary>Turned as its orientation tag says. All but a mirroring reads rows out of order, which a sequential reader cannot.</summary>
    private static Image Upright(Image image)
    {
        const int upright = 1, mirrored = 2;
        if (!image.Contains("orientation") || (int)image.Get("orientation") is <= upright or mirrored or > 8) return image.Autorot();
        using var whole = image.CopyMemory();
        return whole.Autorot();
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
        if (image.Format != Enums.BandFormat.Ushort) return image.Copy();
        using var scaled = image.Linear([1 / 257.0], [0.0]);
        using var rounded = scaled.Rint();
        using var bytes = rounded.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(interpretation: image.Interpretation switch
        {
            Enums.Interpretation.Grey16 => Enums.Interpretation.Bw,
            Enums.Interpretation.Rgb16 => Enums.Interpretation.Srgb,
            var other => other,
        });
    }

    private static Image ToSrgb(Image image)
    {
        if (image.Interpretation is Enums.Interpretation.Bw or Enums.Interpretation.Multiband) return image.Copy();
        if (!image.Contains("icc-profile-data")) return image.Colourspace(Enums.Interpretation.Srgb);
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

    private static string FirstLine(string message) =>
        message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault("no more is known");
}
