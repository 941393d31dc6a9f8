using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>Loads files with libvips and converts them to 8-bit sRGB.</summary>
internal static class VipsPixels
{
    /// <summary>Rows computed between two checks of the clock.</summary>
    private const int RowsPerCheck = 16;

    /// <summary>Reads the header of a file; pixels are decoded later.</summary>
    /// <remarks>
    /// For libvips, damaged tiles of a TIFF are only warnings, and it fills them with black: with TIFF, warnings fail.
    /// </remarks>
    public static Image Load(Source source, ImageFormat format) =>
        format switch
        {
            ImageFormat.Png => Image.PngloadSource(source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error),
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

    /// <summary>Gets the number of frames or pages.</summary>
    public static int CountFrames(Image image) => image.Contains("n-pages") ? (int)image.Get("n-pages") : 1;

    /// <summary>Decodes the pixels of a loaded file: upright, sRGB, 8 bits per channel.</summary>
    /// <exception cref="VipsException">The file is damaged, or the time is up.</exception>
    /// <exception cref="InvalidDataException">The channels are neither grey nor colour.</exception>
    public static RgbImage Decode(Image image, TimedSource file) => Decode(image, GetOrientation(image), file);

    /// <summary>Decodes the pixels of a loaded file: upright, sRGB, 8 bits per channel.</summary>
    /// <param name="image">The file.</param>
    /// <param name="orientation">Its EXIF orientation.</param>
    /// <param name="file">Gives the time.</param>
    /// <exception cref="VipsException">The file is damaged, or the time is up.</exception>
    /// <exception cref="InvalidDataException">The channels are neither grey nor colour.</exception>
    public static RgbImage Decode(Image image, int orientation, TimedSource file)
    {
        using var rgb = ToRgb(image);
        var stored = Compute(rgb, file);
        return orientation == ExifOrientation.Upright ? stored : Turn(stored, orientation, file);
    }

    /// <summary>
    /// Computes all pixels on the calling thread, a few rows at a time. libvips would compute them on threads of its
    /// own, which have the priority of the thread that happened to start them: an image of the line could wait for a
    /// thread that a job started.
    /// </summary>
    private static RgbImage Compute(Image image, TimedSource file)
    {
        using var region = Region.New(image);
        var pixels = new byte[checked(3 * image.Width * image.Height)];
        var stride = 3 * image.Width;
        for (var top = 0; top < image.Height; top += RowsPerCheck)
        {
            if (file.IsExpired)
                throw new VipsException("the time is up");
            var rows = region.Fetch(0, top, image.Width, Math.Min(RowsPerCheck, image.Height - top));
            rows.CopyTo(pixels, top * stride);
        }
        return new RgbImage(image.Width, image.Height, pixels);
    }

    private static int GetOrientation(Image image) =>
        image.Contains("orientation") && (int)image.Get("orientation") is > 1 and <= 8 and var orientation
            ? orientation
            : ExifOrientation.Upright;

    /// <summary>
    /// Turns an image as its orientation tag says. From memory, since a turn reads rows out of order, which a
    /// sequential reader cannot.
    /// </summary>
    private static RgbImage Turn(RgbImage image, int orientation, TimedSource file)
    {
        using var stored = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var tagged = stored.Mutate(mutable => mutable.Set(GValue.GIntType, "orientation", orientation));
        using var upright = tagged.Autorot();
        return Compute(upright, file);
    }

    /// <summary>
    /// Converts to three 8-bit sRGB channels: grey is replicated, 16 bits are divided by 257, alpha is flattened on
    /// black.
    /// </summary>
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
            return image.Interpretation == Enums.Interpretation.Cmyk
                ? FromInks(image)
                : image.Colourspace(Enums.Interpretation.Srgb);
        try
        {
            return image.IccTransform("srgb", embedded: true, intent: Enums.Intent.Relative);
        }
        catch (VipsException)
        {
            // A profile that cannot be used says nothing about the colours: they are taken at face value.
            using var bare = image.Mutate(mutable => mutable.Remove("icc-profile-data"));
            return ToSrgb(bare);
        }
    }

    /// <summary>
    /// Converts inks whose profile nobody knows as browsers do: each one takes its share of white away. libvips would
    /// take the profile of one certain paper, which makes greens and blues dull.
    /// </summary>
    private static Image FromInks(Image image)
    {
        using var paper = image.Invert();
        using var colours = paper.ExtractBand(0, n: 3);
        using var black = paper.ExtractBand(3);
        using var product = colours.Multiply(black);
        using var scaled = product.Linear([1 / 255.0], [0.0]);
        using var rounded = scaled.Rint();
        using var bytes = rounded.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(interpretation: Enums.Interpretation.Srgb);
    }
}
